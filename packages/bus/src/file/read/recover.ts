import { join } from "node:path";
import { type FileSystem, type OpenFile, readFully, writeFully } from "@orgloop/files";
import { hasCode, parseJson } from "@orgloop/sdk";
import type { AckNotes } from "../file-bus-options.ts";
import { type EventLine, LoggedEvent } from "../format/pending-lines.ts";
import type { Segment } from "../format/segment.ts";
import { keepAside } from "../repair/keep-aside.ts";
import type { Tail } from "../write/log-writer.ts";
import { NotedAcks } from "./noted-acks.ts";
import { readLines } from "./read-lines.ts";
import { readLog, type TailReading } from "./read-log.ts";
import type { UnsettledLog } from "./unsettled.ts";

/** A log as it was found. */
export interface Recovered {
  /** The file whose name says what is settled before the others. */
  readonly settledName: string | null;
  readonly sealed: Segment[];
  /** What to go on with; null where a new segment is to be begun. */
  readonly tail: Tail | null;
  readonly nextSeq: number;
  /** It has no high-water mark yet. */
  readonly isUpgrade: boolean;
  /** How often the log was opened before. */
  readonly opens: number;
  /** Unsettled, in the order of publishing. */
  readonly events: LoggedEvent[];
  readonly cut: Cut | null;
}

/** A torn tail that was cut off: it was never acknowledged. */
export interface Cut {
  readonly file: string;
  readonly line: number;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
  /** The file beside the log that holds them; null where the disk had no room for it. */
  readonly kept: string | null;
}

/**
 * Brings the log in `dir`, which must be locked, into the state that its acknowledged writes left
 * it in. Reads every segment once. Throws `WAL_CORRUPT` and changes nothing where acknowledged data
 * is damaged, and `WAL_FORMAT` where a newer release wrote it.
 */
export async function recover(
  dir: string,
  fileSystem: FileSystem,
  notes?: Pick<AckNotes, "through" | "onNote">,
): Promise<Recovered> {
  await fileSystem.syncDirectory(dir);
  const noted = new NotedAcks(notes?.through ?? Number.POSITIVE_INFINITY);
  const log = await readLog(dir, fileSystem, {
    indexed: true,
    onLine: (head, segment, offset, length) => noted.line(head, segment, offset, length),
    onSealed: (name, segment) => noted.scan(dir, name, segment, fileSystem),
  });
  const { tail } = log;
  const events = await readEvents(dir, log.unsettled, fileSystem);
  let { opens } = log;
  for (const { open } of events) opens = Math.max(opens, open);
  if (notes !== undefined) await noted.read(dir, fileSystem, notes.onNote);
  const cut = tail === null ? null : await restoreTail(dir, tail, fileSystem);
  for (const leftover of log.leftovers) await fileSystem.remove(join(dir, leftover));
  return {
    settledName: log.settledName,
    sealed: [...log.sealed],
    tail,
    nextSeq: log.through + 1,
    isUpgrade: log.highWater.mark === null && log.through > 0,
    opens,
    events: events.map(({ event, open }) => {
      event.returns = opens + 1 - open;
      return event;
    }),
    cut,
  };
}

async function readEvents(
  dir: string,
  unsettled: UnsettledLog,
  fileSystem: FileSystem,
): Promise<{ event: LoggedEvent; open: number }[]> {
  const found = unsettled.result();
  const events: { event: LoggedEvent; open: number }[] = [];
  const positions = found.map(({ event }) => event);
  for await (const bytes of readLines(dir, positions, fileSystem)) {
    const line = parseJson(bytes.toString("utf8")) as EventLine;
    const event = new LoggedEvent(line.event, line.at);
    const lines = found[events.length];
    Object.assign(event, lines?.event);
    event.settles = lines?.settles ?? [];
    events.push({ event, open: line.open });
  }
  const settles = events.flatMap(({ event }) =>
    event.settles.map((position) => ({ event, position })),
  );
  settles.sort((a, b) => a.position.seq - b.position.seq);
  let next = 0;
  const places = settles.map(({ position }) => position);
  for await (const bytes of readLines(dir, places, fileSystem)) {
    const { route } = JSON.parse(bytes.toString("utf8")) as { route: string };
    settles[next]?.event.addRoute(route);
    next += 1;
  }
  return events;
}

/**
 * Cuts off what is torn, and writes the last batch again where it stands: its sync may have failed
 * before the process ended, and then it is in the kernel's memory, looks fine, and will never reach
 * the disk by itself.
 */
async function restoreTail(
  dir: string,
  { segment: { name }, size, fileSize, lastBatchOffset, damage }: TailReading,
  fileSystem: FileSystem,
): Promise<Cut | null> {
  const file = await fileSystem.open(join(dir, name), "update");
  try {
    const kept =
      fileSize > size ? await keepTorn(dir, file, name, size, fileSize, fileSystem) : null;
    if (fileSize > size) await file.truncate(size);
    const batch = Buffer.allocUnsafe(size - lastBatchOffset);
    await readFully(file, batch, lastBatchOffset);
    // They are there: where the disk has no room to write them elsewhere, they stay where they are.
    await writeFully(file, batch, lastBatchOffset).catch(unlessFull);
    await file.sync();
    if (damage === null) return null;
    const { line, offset, reason } = damage;
    return { file: name, line, offset, bytes: fileSize - size, reason, kept };
  } finally {
    await file.close();
  }
}

/** Null where the disk has no room: nobody was told that it holds these bytes. */
async function keepTorn(
  dir: string,
  file: OpenFile,
  name: string,
  start: number,
  end: number,
  fileSystem: FileSystem,
): Promise<string | null> {
  try {
    return await keepAside(dir, file, [{ start, end }], `${name}.cut-${start}`, fileSystem);
  } catch (error) {
    unlessFull(error);
    return null;
  }
}

function unlessFull(error: unknown): void {
  if (!hasCode(error, "ENOSPC") && !hasCode(error, "EDQUOT")) throw error;
}
