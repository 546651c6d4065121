import { setTimeout as sleep } from "node:timers/promises";
import { OrgLoopError } from "@orgloop/sdk";
import { getItem, type StateTable, singleKey, ttlSeconds } from "./state-table.ts";
import { updateItem } from "./write-item.ts";

export interface DynamoTracesOptions extends StateTable {
  /** After how long, from its last change, a trace is no longer of interest. */
  readonly keptMs: number;
  readonly now?: () => number;
}

/** What is remembered of each trace, shared by functions. */
export interface TraceMemory<Chain> {
  /**
   * Changes it as if nobody else did; `change` is pure and may be called again. Rejects with
   * `TRACE_CONTENDED`.
   */
  update(traceId: string, change: (before: Chain | undefined) => Chain): Promise<void>;
}

const MAX_TRIES = 20;
const DELAY_MS = 20;

/** A trace as one item, written by conditional writes: one for a trace that is new. */
export function dynamoTraces<Chain extends object>(
  options: DynamoTracesOptions,
): TraceMemory<Chain> {
  const { keptMs, now = Date.now } = options;
  return {
    async update(traceId, change) {
      const key = singleKey("trace", traceId);
      let before: string | undefined;
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const after = JSON.stringify(change(before === undefined ? undefined : JSON.parse(before)));
        if (after === before) return;
        const written = await updateItem(options, key, {
          set: { chain: after, ttl: ttlSeconds(now() + keptMs) },
          condition: before === undefined ? "attribute_not_exists(#chain)" : "#chain = :before",
          values: before === undefined ? {} : { before },
        });
        if (written.done) return;
        if (before !== undefined) await sleep(DELAY_MS * Math.random());
        const { chain } = written.item ?? (await getItem(options, key)) ?? {};
        before = typeof chain === "string" ? chain : undefined;
      }
      throw new OrgLoopError(
        "TRACE_CONTENDED",
        `the trace ${traceId} was changed by others all the time`,
      );
    },
  };
}
