import { OrgLoopError, type OrgLoopEvent } from "@orgloop/sdk";
import { type ObjectStore, unwrapBody, wrapBody } from "./message-body.ts";
import type { FifoMessage } from "./sqs-sender.ts";

/** The stage's rules of naming (`@orgloop/aws/plan`). */
export interface BusKeys {
  readonly messageGroup: (source: string, key?: string | null) => string;
  /** By what an event is grouped beside its source. Default: by nothing. */
  readonly keyOf?: (event: OrgLoopEvent) => string | null;
  readonly eventDedupId: (event: OrgLoopEvent) => string;
}

/**
 * One time that an event was put on the bus. It stays what it is where SQS gives its message
 * another id: a redrive does. `first`: its source gave it; `inject`: somebody did by hand.
 */
export interface Publication {
  /** Letters and digits, of this publication alone. */
  readonly id: string;
  readonly kind: "first" | "replay" | "inject";
  /**
   * `bodyHash` of what was sent, or `ANY_BODY`; absent: nobody gave the event's id, it repeats
   * nothing.
   */
  readonly body?: string;
  /** When it was put there, in ms since the epoch; absent in messages of before this was said. */
  readonly at_ms?: number;
}

/** What a message of the bus says. */
export interface BusMessage {
  readonly event: OrgLoopEvent;
  /** Null in messages of before there were any. */
  readonly publication: Publication | null;
}

/**
 * An event as it stands on the bus. Of a replay SQS forgets the second for 5 minutes, of all else
 * only the same publication sent twice: which events are repeats the router decides, who sees them
 * all.
 */
export async function busMessage(
  event: OrgLoopEvent,
  { messageGroup, eventDedupId, keyOf = () => null }: BusKeys,
  objects: ObjectStore,
  publication?: Publication,
): Promise<FifoMessage> {
  const body = await wrapBody(
    { event, ...(publication !== undefined && { publication }) },
    objects,
    event.id,
  );
  const isOwn = publication !== undefined && publication.kind !== "replay";
  const dedupId = isOwn ? publication.id : eventDedupId(event);
  return { body, group: messageGroup(event.source, keyOf(event)), dedupId };
}

/** The event of a message's body. Throws what {@link readPublication} throws. */
export async function readBusMessage(
  body: string,
  objects: Pick<ObjectStore, "get">,
): Promise<OrgLoopEvent> {
  return (await readPublication(body, objects)).event;
}

/**
 * Throws `MESSAGE_UNREADABLE` where the body has no event; what reading its object throws may pass.
 */
export async function readPublication(
  body: string,
  objects: Pick<ObjectStore, "get">,
): Promise<BusMessage> {
  const { event, publication } = await unwrapBody(body, objects);
  const { id, source } = (event ?? {}) as { id?: unknown; source?: unknown };
  if (typeof id === "string" && typeof source === "string") {
    return { event: event as OrgLoopEvent, publication: publicationOf(publication) };
  }
  throw new OrgLoopError("MESSAGE_UNREADABLE", "a message on the bus holds no event");
}

function publicationOf(value: unknown): Publication | null {
  const { id, kind } = (value ?? {}) as Partial<Publication>;
  return typeof id === "string" && typeof kind === "string" ? (value as Publication) : null;
}
