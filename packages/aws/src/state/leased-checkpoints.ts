import { type IllList, OrgLoopError } from "@orgloop/sdk";
import { checkpointOf, sourceKey } from "./source-item.ts";
import type { StateTable } from "./state-table.ts";
import { type ItemChange, updateItem, type Written } from "./write-item.ts";

export interface LeasedCheckpointsOptions extends StateTable {
  /** In ms since the epoch; default: the system's clock. */
  readonly now?: () => number;
}

/** How a poll ended. */
export interface PollResult {
  readonly failed: boolean;
  /** Nobody gets the source before it, in ms since the epoch. */
  readonly notBeforeMs?: number;
  /** Put on the bus since the checkpoint was last moved. */
  readonly events?: number;
  /** What `Source.illLists` says after it. Default: none. */
  readonly illLists?: readonly IllList[];
}

/** A source held by one poller, until it is released or its time is over. */
export interface Lease {
  /**
   * Polls before this one that were never released: their functions were killed, or lost the lease.
   */
  readonly unended: number;
  /** The checkpoint as it stands; null where none was ever set. */
  get(): string | null;
  /**
   * Moves the checkpoint, and counts the `events` that were put on the bus before it. Throws
   * `LEASE_LOST`, and moves nothing, where the lease has run out or another poller has taken the
   * source since.
   */
  set(checkpoint: string, counted?: { readonly events: number }): Promise<void>;
  /**
   * Lets the next poller in, and says how the poll ended. Fine where the lease is lost.
   */
  release(result?: PollResult): Promise<void>;
}

export interface LeasedCheckpoints {
  /**
   * Takes the source for `ttlMs`, which outlasts the function's timeout, so that the kill is the
   * fence; null while another owner holds it. `owner` is of one invocation, and is told to nobody
   * but `orgloop doctor`.
   */
  acquire(sourceId: string, owner: string, ttlMs: number): Promise<Lease | null>;
}

/**
 * A source is left alone no longer than this, whatever it asks for. What lies further ahead was
 * written by a clock that was wrong.
 */
const LONGEST_REST_MS = 86_400_000;

/**
 * Checkpoints that only the holder of the source's lease can move: each lease has a number of its
 * own, and a write needs the last.
 */
export function leasedCheckpoints(options: LeasedCheckpointsOptions): LeasedCheckpoints {
  const { now = Date.now } = options;
  return {
    async acquire(sourceId, owner, ttlMs) {
      const key = sourceKey(sourceId);
      const acquired = await updateItem(options, key, {
        set: { owner, lease_until_ms: now() + ttlMs, polled_ms: now() },
        add: { fence: 1, unended: 1 },
        condition:
          "attribute_not_exists(#lease_until_ms) OR #lease_until_ms <= :now OR #lease_until_ms > :latest",
        values: { now: now(), latest: now() + Math.max(ttlMs, LONGEST_REST_MS) },
      });
      if (!acquired.done) return null;
      const { fence, unended } = acquired.item;
      let checkpoint = checkpointOf(acquired.item);

      const change = (of: ItemChange): Promise<Written> =>
        updateItem(options, key, {
          ...of,
          condition: "#fence = :mine AND #lease_until_ms > :now",
          names: ["fence", "lease_until_ms"],
          values: { mine: fence, now: now() },
        });

      return {
        unended: Number(unended) - 1,
        get: () => checkpoint,
        async set(next, { events } = { events: 0 }) {
          const { done } = await change({
            set: { checkpoint: next, updated_ms: now() },
            add: { events },
          });
          if (!done) throw leaseLost(sourceId);
          checkpoint = next;
        },
        async release({ failed, notBeforeMs, events = 0, illLists = [] } = { failed: false }) {
          await change({
            add: { events, ...(failed && { failures: 1 }) },
            set: {
              ...(failed ? {} : { failures: 0 }),
              ...(illLists.length === 0 ? {} : { ill_lists: JSON.stringify(illLists) }),
              ...(notBeforeMs === undefined
                ? {}
                : { lease_until_ms: Math.min(notBeforeMs, now() + LONGEST_REST_MS) }),
            },
            remove: [
              "owner",
              "unended",
              ...(notBeforeMs === undefined ? ["lease_until_ms"] : []),
              ...(illLists.length === 0 ? ["ill_lists"] : []),
            ],
          });
        },
      };
    },
  };
}

function leaseLost(sourceId: string): OrgLoopError {
  return new OrgLoopError(
    "LEASE_LOST",
    `the lease on ${sourceId} is over or was taken by another poller: its checkpoint stays, the next poll goes on from it`,
  );
}
