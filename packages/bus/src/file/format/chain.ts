import { type FileSystem, nodeFileSystem } from "@orgloop/files";
import { hasCode } from "@orgloop/sdk";
import { corruptError } from "./errors.ts";
import { isKept, isTemporary, parseSegmentName, type SegmentName } from "./segment.ts";

/** The files of a log. */
export interface Chain {
  /** What counts, in order. */
  readonly segments: readonly SegmentName[];
  /**
   * What a crash left behind: cut-short compactions, and files whose numbers a compacted or settled
   * one covers.
   */
  readonly leftovers: readonly string[];
  /** What was cut off or taken out, by a start or a repair: no part of the log. */
  readonly kept: readonly string[];
}

/** Lists the log in `dir`; empty where there is none. */
export async function listChain(
  dir: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Chain> {
  const names = await fileSystem.list(dir).catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  });
  const leftovers = names.filter(isTemporary);
  const found = names.flatMap((name) => parseSegmentName(name) ?? []);
  found.sort((a, b) => a.from - b.from || (b.through ?? 0) - (a.through ?? 0) || rank(a) - rank(b));
  const segments: SegmentName[] = [];
  let covered = 0;
  for (const segment of found) {
    const inside = segment.through === null ? segment.from : segment.through;
    if (inside <= covered) {
      leftovers.push(segment.name);
      continue;
    }
    segments.push(segment);
    covered = Math.max(covered, segment.through ?? 0);
  }
  return { segments, leftovers, kept: names.filter(isKept).sort() };
}

/** Of two that cover the same numbers, the settled one came later. */
function rank(name: SegmentName): number {
  return name.kind === "settled" ? 0 : 1;
}

/** Throws `WAL_CORRUPT` where `next` does not follow on `through`, the last number before it. */
export function checkFollows(dir: string, next: SegmentName, through: number): void {
  if (next.from === through + 1) return;
  const reason =
    next.from > through
      ? `the numbers ${through + 1} to ${next.from - 1} are missing: a file is gone`
      : `it starts at number ${next.from}, but ${through} stands before it`;
  throw corruptError(dir, { file: next.name, line: 0, offset: 0, reason });
}
