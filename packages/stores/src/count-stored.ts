import { join } from "node:path";
import { readStoredBodies } from "@orgloop/files";
import { parseLetterLine, upgradeLetterLine } from "./dead-letter-line.ts";
import { parseInboxLine, upgradeInboxLine } from "./inbox-line.ts";

/**
 * How many dead letters lie in a directory of `fileDeadLetters`, without locking or changing it.
 */
export async function countStoredLetters(dir: string): Promise<number> {
  const ids = new Set<string>();
  const own = { upgrade: upgradeLetterLine, parse: parseLetterLine };
  for await (const line of readStoredBodies(join(dir, "dead-letters.jsonl"), own)) {
    if ("put" in line) ids.add(line.put.id);
    else for (const id of line.removed) ids.delete(id);
  }
  return ids.size;
}

/** How many events wait in a directory of `fileInbox`, without locking or changing it. */
export async function countStoredEntries(dir: string): Promise<number> {
  const ids = new Set<string>();
  const key = (session: string, id: string) => `${session}\n${id}`;
  const own = { upgrade: upgradeInboxLine, parse: parseInboxLine };
  for await (const line of readStoredBodies(join(dir, "inbox.jsonl"), own)) {
    if ("put" in line) ids.add(key(line.put.session_key, line.put.id));
    else if ("removed" in line) for (const id of line.removed) ids.delete(key(line.session, id));
  }
  return ids.size;
}
