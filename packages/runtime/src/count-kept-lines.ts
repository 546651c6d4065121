import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { hasCode } from "@orgloop/sdk";

/**
 * Counts what a file of `fileDeadLetters` or `fileInbox` in stores keeps (a line with an `id` each, and lines of `removed` ids), without
 * reading it all into memory. 0 where there is no file.
 */
export async function countKeptLines(file: string): Promise<number> {
  const ids = new Set<string>();
  try {
    for await (const line of createInterface({ input: createReadStream(file, "utf8") })) {
      const value = parse(line);
      if (typeof value?.id === "string") ids.add(value.id);
      for (const id of value?.removed ?? []) ids.delete(id);
    }
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  return ids.size;
}

/** Null for a torn line. */
function parse(
  line: string,
): { readonly id?: unknown; readonly removed?: readonly string[] } | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
