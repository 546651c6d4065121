import type { IllList, Source } from "@orgloop/sdk";

/**
 * The lists that a source could not read last time. What tells of a source must not end its polls.
 */
export function illListsOf(
  source: Pick<Source, "illLists">,
  checkpoint: string | null,
): readonly IllList[] {
  try {
    return source.illLists?.(checkpoint) ?? [];
  } catch {
    return [];
  }
}
