import { sha256 } from "./message-keys.ts";

/**
 * In which of `shards` an item lives, from 0: the same for ever, whatever other items there are.
 */
export function shardOf(id: string, shards: number): number {
  return Number.parseInt(sha256(id).slice(0, 8), 16) % shards;
}

/** Those of `shards` in which at least one of `ids` lives. */
export function usedShards(ids: readonly string[], shards: number): ReadonlySet<number> {
  return new Set(ids.map((id) => shardOf(id, shards)));
}
