import type { BusGrouping } from "@orgloop/engine";
import { batchGet } from "./batch-get.ts";
import { type Item, type StateTable, singleKey } from "./state-table.ts";
import { updateItem } from "./write-item.ts";

/** How a source's events are grouped on the bus now, and how they are to be. */
export interface KeptGrouping {
  /** By the source where nothing was ever kept: the release before knew no other. */
  readonly by: BusGrouping;
  /** Null: nothing is to change. */
  readonly to: BusGrouping | null;
  /** Since when, in ms since the epoch; 0 where nothing is. */
  readonly sinceMs: number;
}

export interface SourceGroupings {
  /** As of now; each of them is in it. */
  load(sources: readonly string[]): Promise<ReadonlyMap<string, KeptGrouping>>;
  /** Of a source that nothing is kept of. */
  begin(source: string, by: BusGrouping): Promise<void>;
  want(source: string, to: BusGrouping | null, nowMs: number): Promise<void>;
  /** The old groups are empty; nothing where it is no longer wanted. */
  settle(source: string, by: BusGrouping): Promise<void>;
}

const groupingKey = (source: string) => singleKey("bus-group", source);

const UNKNOWN: KeptGrouping = { by: "source", to: null, sinceMs: 0 };

/** One item a source that is or was grouped by its key. */
export function dynamoGroupings(state: StateTable): SourceGroupings {
  return {
    async load(sources) {
      const keys = sources.map(groupingKey);
      const items = await batchGet(state, keys, { consistent: true });
      const found = new Map(items.map((item) => [item.pk, groupingOf(item)]));
      return new Map(
        sources.map((source, at) => [source, found.get(keys[at]?.pk) ?? UNKNOWN] as const),
      );
    },
    async begin(source, by) {
      const condition = "attribute_not_exists(#by)";
      await updateItem(state, groupingKey(source), { set: { by }, condition });
    },
    async want(source, to, nowMs) {
      await updateItem(state, groupingKey(source), {
        set: { to, since_ms: to === null ? 0 : nowMs },
        setOnce: { by: "source" },
      });
    },
    async settle(source, by) {
      await updateItem(state, groupingKey(source), {
        set: { by, to: null, since_ms: 0 },
        condition: "#to = :wanted",
        values: { wanted: by },
      });
    },
  };
}

function groupingOf({ by, to, since_ms }: Item): KeptGrouping {
  return {
    by: by === "key" ? "key" : "source",
    to: to === "key" || to === "source" ? to : null,
    sinceMs: Number(since_ms ?? 0),
  };
}
