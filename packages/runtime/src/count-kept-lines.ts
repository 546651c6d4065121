import { readFileLines } from "@orgloop/files";

/**
 * Counts what a file of `fileDeadLetters` or `fileInbox` in stores keeps (a line with an `id` each, and lines of `removed` ids), without
 * reading it all into memory. 0 where there is no file.
 */
export async function countKeptLines(file: string): Promise<number> {
  const ids = new Set<string>();
  for await (const { line } of readFileLines(file)) {
    const value = parse(line);
    if (typeof value?.id === "string") ids.add(value.id);
    for (const id of value?.removed ?? []) ids.delete(id);
  }
  return ids.size;
}

/** Null for a line that cannot be read. */
function parse(
  line: string,
): { readonly id?: unknown; readonly removed?: readonly string[] } | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
