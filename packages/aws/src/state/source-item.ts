import { type ItemKey, singleKey } from "./state-table.ts";

/** The item of a source: its checkpoint, its lease, and what `status` shows of it. */
export const sourceKey = (sourceId: string): ItemKey => singleKey("source", sourceId);

/** Null where none was ever set. */
export function checkpointOf(item: { readonly checkpoint?: unknown } | null): string | null {
  return typeof item?.checkpoint === "string" ? item.checkpoint : null;
}
