import { randomBytes } from "node:crypto";
import type { RecordedLine } from "@orgloop/engine";
import type { ObjectStore } from "../queue/object-store.ts";

/** Where the record of an hour lies in the stage's bucket: `events/2026-11-23/14/`. */
export function historyFolder(atMs: number): string {
  const iso = new Date(atMs).toISOString();
  return `events/${iso.slice(0, 10)}/${iso.slice(11, 13)}/`;
}

/**
 * Records what a batch routed, as one object of JSON lines in the hour of its routing; what is
 * listed by key is in order. Resolves when it is durable.
 */
export async function recordHistory(
  objects: Pick<ObjectStore, "put">,
  lines: readonly RecordedLine[],
  nowMs: number,
): Promise<void> {
  if (lines.length === 0) return;
  const time = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, "");
  const key = `${historyFolder(nowMs)}${time}-${randomBytes(6).toString("hex")}.jsonl`;
  await objects.put(key, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}
