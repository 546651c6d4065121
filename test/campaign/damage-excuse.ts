import { readFile } from "node:fs/promises";
import path from "node:path";
import { readUnsettled } from "@orgloop/bus/file";
import { nodeFileSystem, readMark } from "@orgloop/files";
import type { Contents } from "./damage-world.ts";

/** What is gone, changed, or there again. */
export function differences(
  { held: before }: Contents,
  { held: after }: Contents,
): readonly string[] {
  return [
    ...[...before]
      .filter(([name, text]) => after.get(name) !== text)
      .map(([name]) => `not as it was: ${name}`),
    ...[...after.keys()].filter((name) => !before.has(name)).map((name) => `there again: ${name}`),
  ];
}

/** Their marks lag up to a second behind what was acknowledged (docs/guarantees.md). */
const LAGGING = new Set(["claims/claims.jsonl", "attempt-starts.jsonl"]);

/** A file of a data directory that a killed process left, and what it held before its damage. */
export interface DamagedFile {
  /** The data directory without the damage. */
  readonly whole: string;
  /** Relative to it. */
  readonly file: string;
  readonly before: Contents;
  readonly after: Contents;
  /** What the undamaged directory holds where this file has only so many bytes. */
  readonly cutAt: (bytes: number) => Promise<Contents>;
}

/**
 * Why nobody had to be told of what is lost; null where somebody had. `unacknowledged`: lines of a
 * store that its mark had not reached, so that whoever wrote them had no answer yet, and the log
 * does not call their deliveries settled. `lag`: the end of the log, or of a file in
 * {@link LAGGING}, that its mark had not reached, which docs/guarantees.md excepts.
 */
export async function excuseOf(damaged: DamagedFile): Promise<"unacknowledged" | "lag" | null> {
  const { whole, file, after, cutAt } = damaged;
  const isLog = path.dirname(file) === "wal";
  const from = isLog ? await logReached(whole, file) : await linesReached(path.join(whole, file));
  if (from === null) return null;
  const bytes = await readFile(path.join(whole, file));
  for (const end of lineEnds(bytes, from)) {
    const cut = await cutAt(end);
    if (cut.said.length > 0 || differences(cut, after).length > 0) continue;
    if (isLog || LAGGING.has(file)) return "lag";
    return (await acknowledgedLoss(damaged)) ? null : "unacknowledged";
  }
  return null;
}

/** How many bytes of the log's last segment its mark has reached; null for another file. */
async function logReached(whole: string, file: string): Promise<number | null> {
  const mark = await readMark<{ segment: number; bytes: number }>(
    path.join(whole, "wal/high-water"),
    nodeFileSystem,
  );
  return mark !== null && Number(path.basename(file, ".jsonl")) === mark.segment
    ? mark.bytes
    : null;
}

/** How many bytes of a file of checksummed lines its mark has reached; null for another file. */
async function linesReached(file: string): Promise<number | null> {
  if (!file.endsWith(".jsonl")) return null;
  const mark = await readMark<{ generation: number; synced: number }>(
    `${file}.mark`,
    nodeFileSystem,
  );
  const bytes = await readFile(file);
  const { generation } = JSON.parse(bytes.toString("utf8", 0, bytes.indexOf("\n")));
  if (mark === null || generation !== mark.generation) return null;
  // The first line has number 0.
  return lineEnds(bytes, 0)[mark.synced + 1] ?? null;
}

/** `from`, and where each line behind it ends. */
function lineEnds(bytes: Buffer, from: number): readonly number[] {
  const ends = [from];
  for (let at = bytes.indexOf("\n", from); at >= 0; at = bytes.indexOf("\n", at + 1)) {
    ends.push(at + 1);
  }
  return ends;
}

/** Whether an inbox entry or a dead letter is lost whose delivery the log calls settled. */
async function acknowledgedLoss({ whole, before, after }: DamagedFile): Promise<boolean> {
  const open = new Map<string, ReadonlySet<string>>();
  for await (const { event, settled } of readUnsettled(path.join(whole, "wal"))) {
    open.set(event.id, settled);
  }
  for (const [name, text] of before.held) {
    if (!/^(inbox|letter) /.test(name) || after.held.get(name) === text) continue;
    const { route, event } = JSON.parse(text) as { route: string | null; event: { id: string } };
    const settled = open.get(event.id);
    if (settled === undefined || (route !== null && settled.has(route))) return true;
  }
  return false;
}
