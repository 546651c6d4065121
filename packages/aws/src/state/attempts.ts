import type { AttemptState } from "@orgloop/sdk";
import {
  getItem,
  type Item,
  type ItemKey,
  type StateTable,
  singleKey,
  ttlSeconds,
} from "./state-table.ts";
import { deleteItem, updateItem } from "./write-item.ts";

/** What is remembered of a delivery from one receive to the next. Times in ms since the epoch. */
export interface AttemptRecord {
  /** Null: no attempt has ended yet. */
  readonly state: AttemptState | null;
  /** Attempts that began and did not end in an outcome. */
  readonly starts: number;
  /**
   * The send time that its route's rate has given it, and the breaker's number of openings then.
   */
  readonly reserved: { readonly atMs: number; readonly openings: number } | null;
  /** Until when it waits, for a retry or an open breaker. */
  readonly heldUntilMs: number | null;
}

/**
 * Attempts of deliveries over invocations: the queue knows only how often a message was received.
 */
export interface AttemptStore {
  /** As of now; null where nothing was kept. */
  load(deliveryId: string): Promise<AttemptRecord | null>;
  save(deliveryId: string, record: AttemptRecord): Promise<void>;
  /** Counts a start, before the attempt: how many there are now without an outcome. */
  start(deliveryId: string): Promise<number>;
  /** The delivery is done with. */
  forget(deliveryId: string): Promise<void>;
}

export interface DynamoAttemptsOptions extends StateTable {
  readonly now?: () => number;
}

/** Longer than a message stays in its queue (14 days). */
const ATTEMPT_RETENTION_MS = 15 * 86_400_000;

export function dynamoAttempts(options: DynamoAttemptsOptions): AttemptStore {
  const { now = Date.now } = options;
  const ttl = () => ttlSeconds(now() + ATTEMPT_RETENTION_MS);
  return {
    async load(deliveryId) {
      const item = await getItem(options, deliveryKey(deliveryId));
      return item === null ? null : recordOf(item);
    },
    async save(deliveryId, { state, starts, reserved, heldUntilMs }) {
      await updateItem(options, deliveryKey(deliveryId), {
        set: {
          state: state === null ? null : JSON.stringify(state),
          starts,
          reserved_at_ms: reserved?.atMs ?? null,
          reserved_openings: reserved?.openings ?? null,
          held_until_ms: heldUntilMs,
          ttl: ttl(),
        },
      });
    },
    async start(deliveryId) {
      const change = { add: { starts: 1 }, set: { ttl: ttl() } };
      const { item } = await updateItem(options, deliveryKey(deliveryId), change);
      return Number(item?.starts);
    },
    forget: (deliveryId) => deleteItem(options, deliveryKey(deliveryId)),
  };
}

const deliveryKey = (deliveryId: string): ItemKey => singleKey("delivery", deliveryId);

function recordOf({ state, starts, held_until_ms, ...item }: Item): AttemptRecord {
  return {
    state: typeof state === "string" ? stateOf(state) : null,
    starts: Number(starts ?? 0),
    reserved: reservedOf(item),
    heldUntilMs: typeof held_until_ms === "number" ? held_until_ms : null,
  };
}

/** The release before counted the patience with probes alone. */
function stateOf(text: string): AttemptState {
  const { probedSinceMs = null, ...state } = JSON.parse(text);
  return { uncountedSinceMs: probedSinceMs, ...state };
}

/**
 * The release before had no number of openings: what it reserved stands for a breaker that has
 * never opened.
 */
function reservedOf({ reserved_at_ms: atMs, reserved_openings: openings }: Item) {
  if (typeof atMs !== "number") return null;
  return { atMs, openings: typeof openings === "number" ? openings : 0 };
}
