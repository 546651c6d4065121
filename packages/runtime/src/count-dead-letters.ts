import { createReadStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { hasCode } from "@orgloop/sdk";

/** Counts the letters that `fileDeadLetters` in stores keeps in `dir`, without reading them all into memory. */
export async function countDeadLetters(dir: string): Promise<number> {
  const file = join(dir, "dead-letters.jsonl");
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
