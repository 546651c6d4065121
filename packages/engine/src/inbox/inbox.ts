import { createHash } from "node:crypto";
import {
  type DeadLetter,
  DURATION_PATTERN,
  type InboxEntry,
  type OrgLoopEvent,
  type Prompt,
  parseDuration,
} from "@orgloop/sdk";
import { deliveryLetter } from "../dead-letters/dead-letter.ts";
import { type Delivery, NO_ATTEMPTS } from "../delivery/delivery.ts";
import { eventId } from "../intake/publication.ts";

/** Of a route that has `then.config.inbox: true` and a `session_key` (v1alpha1, section 4). */
export interface InboxTerms {
  readonly sessionKey: string;
  readonly ttlMs: number;
  readonly maxBatch: number;
}

const DEFAULT_TTL_MS = 3_600_000;
const DEFAULT_BATCH = 100;
/** More than this one drain does not take, whatever it asks for. */
const MAX_BATCH = 1_000;

const SOURCE = "orgloop";
const KIND = "inbox.notification";

/**
 * Whether a delivery goes to an inbox instead of straight to its actor: null where it does not,
 * also where its `session_key` came out empty. What `inbox_ttl` and `inbox_max_batch` say is taken
 * where it has sense.
 */
export function inboxTerms({ config, event }: Delivery): InboxTerms | null {
  const { inbox, session_key: key, inbox_ttl: ttl, inbox_max_batch: batch } = config;
  if (inbox !== true || key === undefined || key === null || isInboxNotice(event)) return null;
  const sessionKey = String(key);
  if (sessionKey === "") return null;
  const hasTtl = typeof ttl === "string" && DURATION_PATTERN.test(ttl);
  const count = Number(batch);
  return {
    sessionKey,
    ttlMs: hasTtl ? parseDuration(ttl) : DEFAULT_TTL_MS,
    maxBatch: Number.isInteger(count) && count > 0 ? Math.min(count, MAX_BATCH) : DEFAULT_BATCH,
  };
}

export function inboxEntry(delivery: Delivery, terms: InboxTerms, nowMs: number): InboxEntry {
  const { event, route, actor, orderingKey, replay } = delivery;
  const parts = [event.id, route, String(replay)].join("\0");
  return {
    id: `in_${createHash("sha256").update(parts).digest("hex").slice(0, 32)}`,
    session_key: terms.sessionKey,
    route,
    actor,
    event,
    ordering_key: orderingKey,
    queued_at: new Date(nowMs).toISOString(),
    expires_at: new Date(nowMs + terms.ttlMs).toISOString(),
    max_batch: terms.maxBatch,
  };
}

/** How many entries a drain takes that asks for `limit`, or for none in particular. */
export function drainSize(limit: number | undefined, oldest: InboxEntry | undefined): number {
  return Math.min(limit ?? oldest?.max_batch ?? 1, MAX_BATCH);
}

/** What a drain answers (v1alpha1, section 10). */
export interface DrainAnswer {
  readonly events: readonly OrgLoopEvent[];
  readonly remaining: number;
  /** The id of the last entry where more wait. */
  readonly continuation: string | null;
}

/** `pending`: with the entries that are answered. */
export function drainAnswer(entries: readonly InboxEntry[], pending: number): DrainAnswer {
  const remaining = Math.max(0, pending - entries.length);
  return {
    events: entries.map(({ event }) => event),
    remaining,
    continuation: remaining > 0 ? (entries.at(-1)?.id ?? null) : null,
  };
}

export interface InboxNotice {
  readonly sessionKey: string;
  readonly pending: number;
  /** The first that waits. */
  readonly oldest: OrgLoopEvent;
  /** The stage that the inbox is in, where that is on AWS: whoever drains it must name it. */
  readonly workspace?: string;
  readonly nowMs: number;
}

/**
 * What the actor gets instead of the events: its id is the same while the same event waits first.
 */
export function inboxNotification({
  sessionKey,
  pending,
  oldest,
  workspace,
  nowMs,
}: InboxNotice): OrgLoopEvent {
  const where = workspace === undefined ? "" : ` --workspace ${workspace}`;
  return {
    id: eventId(SOURCE, `inbox/${sessionKey}\0${oldest.id}\0${oldest.replay ?? 0}`),
    timestamp: new Date(nowMs).toISOString(),
    source: SOURCE,
    type: "message.received",
    provenance: { platform: SOURCE, platform_event: KIND },
    payload: {
      kind: KIND,
      pending_count: pending,
      session_key: sessionKey,
      oldest_event_at: oldest.timestamp,
      drain_command: `orgloop inbox drain${where} --key ${shellQuoted(sessionKey)} --format json`,
      instructions:
        "Drain the inbox and work on all of it as it is now: what a later event has overtaken needs nothing more.",
    },
    trace_id: oldest.trace_id,
    ...(oldest.module !== undefined && { module: oldest.module }),
  };
}

/** How a notification gets to the actor. */
export interface NoticeDelivery extends InboxNotice {
  /** Of the event that waits first. */
  readonly route: string;
  readonly actor: string;
  /** The route's, filled in from that event. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly prompt?: Prompt | undefined;
}

export function noticeDelivery(notice: NoticeDelivery): Delivery {
  const { sessionKey, route, actor, config, prompt } = notice;
  return {
    event: inboxNotification(notice),
    route,
    actor,
    orderingKey: `inbox/${sessionKey}`,
    config: { ...config, session_key: sessionKey },
    ...(prompt !== undefined && { prompt }),
    replay: 0,
  };
}

/**
 * A notification with its session in the config, whatever the route's template made of it: that
 * looks for the key in the event, which is the notification where a dead letter is replayed. Any
 * other delivery as it is.
 */
export function withNoticeKey(delivery: Delivery): Delivery {
  const { event, config } = delivery;
  if (!isInboxNotice(event)) return delivery;
  const { session_key } = event.payload;
  return { ...delivery, config: { ...config, session_key } };
}

/** What becomes of an entry that nobody has fetched in time. */
export function expiredInboxLetter(entry: InboxEntry, nowMs: number): DeadLetter {
  const { session_key, event, route, actor, ordering_key: orderingKey } = entry;
  const replay = event.replay ?? 0;
  const lastError = `nobody fetched it from the inbox of ${session_key}`;
  const state = { ...NO_ATTEMPTS, firstError: lastError, lastError };
  const delivery: Delivery = { event, route, actor, orderingKey, config: {}, replay };
  return deliveryLetter(delivery, "expired", state, nowMs);
}

/** Whether an event is what {@link inboxNotification} makes: it goes straight to the actor. */
export function isInboxNotice({ source, payload }: OrgLoopEvent): boolean {
  return source === SOURCE && payload.kind === KIND;
}

/** One word of a POSIX shell: keys come from events, and agents run what they are told. */
function shellQuoted(text: string): string {
  return /^[\w@%+=:,./#-]+$/.test(text) ? `"${text}"` : `'${text.replaceAll("'", `'\\''`)}'`;
}
