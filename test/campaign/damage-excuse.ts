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
  /** Ids of the events that were answered 200. */
  readonly answered: ReadonlySet<string>;
  /** What the undamaged directory holds where this file has only so many bytes. */
  readonly cutAt: (bytes: number) => Promise<Contents>;
}

type Excuse = "unacknowledged" | "lag";

/**
 * Why nobody had to be told of what is lost; null where somebody had. `unacknowledged`: lines that
 * their mark had not reached, and of which nobody had been told: of an event neither its sender nor
 * the checkpoint, of an entry or a letter not the log, which does not call its delivery settled.
 * `lag`: the end of the log's last segment, or of a file in {@link LAGGING}, that its mark had not
 * reached, which docs/guarantees.md excepts.
 */
export async function excuseOf(damaged: DamagedFile): Promise<Excuse | null> {
  const { whole, file } = damaged;
  if (path.dirname(file) === "wal") return excuseOfLog(damaged);
  const from = await linesReached(path.join(whole, file));
  if (from === null || !(await isCut(damaged, from))) return null;
  if (LAGGING.has(file)) return "lag";
  return (await acknowledgedLoss(damaged)) ? null : "unacknowledged";
}

/** Nobody is told of a segment's first lines before the mark has reached it. */
async function excuseOfLog(damaged: DamagedFile): Promise<Excuse | null> {
  const { whole, file } = damaged;
  const mark = await readMark<{ segment: number; bytes: number }>(
    path.join(whole, "wal/high-water"),
    nodeFileSystem,
  );
  const segment = Number(path.basename(file, ".jsonl"));
  if (mark === null || !(segment >= mark.segment)) return null;
  const isMarked = segment === mark.segment;
  if (!(await isCut(damaged, isMarked ? mark.bytes : 0))) return null;
  if (!acknowledgedEvents(damaged)) return "unacknowledged";
  return isMarked ? "lag" : null;
}

/** Whether a cut of whole lines, from there on, leaves the same; it says nothing either. */
async function isCut({ whole, file, after, cutAt }: DamagedFile, from: number): Promise<boolean> {
  for (const end of lineEnds(await readFile(path.join(whole, file)), from)) {
    const cut = await cutAt(end);
    if (cut.said.length === 0 && differences(cut, after).length === 0) return true;
  }
  return false;
}

/** Whether an event is lost that was answered 200, or that lies behind the feed's checkpoint. */
function acknowledgedEvents({ before, after, answered }: DamagedFile): boolean {
  const checkpoint = Number(JSON.parse(before.held.get("checkpoint feed") ?? "0"));
  return [...before.held].some(([name, text]) => {
    if (!name.startsWith("event ") || after.held.get(name) === text) return false;
    const { id, source, payload } = JSON.parse(text) as {
      id: string;
      source: string;
      payload: { n: number };
    };
    return source === "feed" ? payload.n <= checkpoint : answered.has(id);
  });
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
