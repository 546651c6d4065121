import { join } from "node:path";
import { type FileSystem, readFully, writeFully } from "@orgloop/files";
import { checkFollows, listChain } from "./chain.ts";
import { corruptError } from "./errors.ts";
import type { AckNotes } from "./file-bus-options.ts";
import { readFirstLine, type Seal } from "./first-line.ts";
import type { Tail } from "./log-writer.ts";
import { type EventLine, LoggedEvent } from "./logged-event.ts";
import { NotedAcks } from "./noted-acks.ts";
import { readLines } from "./read-lines.ts";
import { readSegment, type SegmentReading } from "./read-segment.ts";
import type { Segment, SegmentName } from "./segment.ts";
import { UnsettledLog } from "./unsettled.ts";
import { sumFile } from "./whole-file.ts";

/** A log as it was found. */
export interface Recovered {
  /** The file whose name says what is settled before the others. */
  readonly settledName: string | null;
  readonly sealed: Segment[];
  /** What to go on with; null where a new segment is to be begun. */
  readonly tail: Tail | null;
  readonly nextSeq: number;
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
}

/**
 * Brings the log in `dir`, which must be locked, into the state that its acknowledged writes left it in. Reads every segment
 * once. Throws `WAL_CORRUPT` and changes nothing where acknowledged data is damaged.
 */
export async function recover(
  dir: string,
  fileSystem: FileSystem,
  notes?: Pick<AckNotes, "through" | "onNote">,
): Promise<Recovered> {
  await fileSystem.syncDirectory(dir);
  const { segments: names, leftovers } = await listChain(dir, fileSystem);
  const unsettled = new UnsettledLog();
  const noted = new NotedAcks(notes?.through ?? Number.POSITIVE_INFINITY);
  const sealed: Segment[] = [];
  let settledName: string | null = null;
  let through = 0;
  let opens = 0;
  let tail: Tail | null = null;
  let tailReading: SegmentReading | null = null;
  const lastName = names.at(-1);
  const last = lastName?.kind === "ordinary" ? lastName : null;
  const lastFirst = last === null ? null : await readFirstLine(dir, last.name, fileSystem);
  const ordinary = new Map<number, Segment>();

  for (const [index, name] of names.entries()) {
    checkFollows(dir, name, through);
    if (name.kind === "settled") {
      settledName = name.name;
      through = name.through as number;
      continue;
    }
    const segment: Segment = { name: name.name, from: name.from, through: 0, size: 0, live: 0 };
    const next = names[index + 1];
    const seal = next === undefined ? null : await sealOf(dir, name, next, fileSystem);
    if (seal !== null && lastFirst?.unsettled !== undefined) {
      await checkSealed(dir, name, seal, fileSystem);
      segment.size = seal.bytes;
      segment.through = through = (next as SegmentName).from - 1;
      await noted.scan(dir, name, segment, fileSystem);
      ordinary.set(segment.from, segment);
      sealed.push(segment);
      continue;
    }
    if (name === last && lastFirst?.unsettled !== undefined) {
      unsettled.restore(lastFirst.unsettled, ordinary);
    }
    unsettled.begin(segment, name.kind === "ordinary");
    const reading = await readSegment(
      dir,
      name,
      {
        seal,
        last: name === last,
        onLine(head, offset, length) {
          noted.line(head, segment, offset, length);
          if (head.kind === "open") opens = Math.max(opens, head.ref);
          else unsettled.line(head, offset, length);
        },
      },
      fileSystem,
    );
    unsettled.end();
    if (reading.damage !== null && !reading.torn) throw corruptError(dir, reading.damage);
    segment.size = reading.size;
    segment.through = through = reading.through;
    if (name === last) {
      tail = { segment, crc: reading.crc, beganAt: lastFirst?.at ?? null };
      tailReading = reading;
    } else {
      if (name.kind === "ordinary") ordinary.set(segment.from, segment);
      sealed.push(segment);
    }
  }

  const missing = unsettled.missing();
  if (missing !== null && last !== null) {
    const reason = `it says that event ${missing} is unsettled, but that is nowhere`;
    throw corruptError(dir, { file: last.name, line: 1, offset: 0, reason });
  }
  const events = await readEvents(dir, unsettled, fileSystem);
  for (const { open } of events) opens = Math.max(opens, open);
  if (notes !== undefined) await noted.read(dir, fileSystem, notes.onNote);
  if (tail !== null && tailReading !== null) {
    await restoreTail(dir, tailReading, tail.segment.name, fileSystem);
  }
  for (const leftover of leftovers) await fileSystem.remove(join(dir, leftover));
  return {
    settledName,
    sealed,
    tail,
    nextSeq: through + 1,
    opens,
    events: events.map(({ event, open }) => {
      event.returns = opens + 1 - open;
      return event;
    }),
    cut: tailReading === null ? null : cutOf(tailReading),
  };
}

/** The seal of an ordinary segment; null where the next one has none. */
async function sealOf(
  dir: string,
  name: SegmentName,
  next: SegmentName,
  fileSystem: FileSystem,
): Promise<Seal | null> {
  if (name.kind !== "ordinary" || next.kind !== "ordinary") return null;
  const seal = (await readFirstLine(dir, next.name, fileSystem))?.sealed;
  return seal?.from === name.from ? seal : null;
}

/** Reads a sealed segment as a whole; line by line only to say where it is damaged. */
async function checkSealed(
  dir: string,
  name: SegmentName,
  seal: Seal,
  fileSystem: FileSystem,
): Promise<void> {
  const file = await fileSystem.open(join(dir, name.name), "read");
  try {
    const { bytes, crc } = await sumFile(file);
    if (bytes === seal.bytes && crc === seal.crc) return;
  } finally {
    await file.close();
  }
  const options = { seal, last: false, onLine: () => undefined };
  const { damage } = await readSegment(dir, name, options, fileSystem);
  if (damage !== null) throw corruptError(dir, damage);
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
    const line = JSON.parse(bytes.toString("utf8")) as EventLine;
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
 * Cuts off what is torn, and writes the last batch again where it stands: its sync may have failed before the process ended,
 * and then it is in the kernel's memory, looks fine, and will never reach the disk by itself.
 */
async function restoreTail(
  dir: string,
  { size, fileSize, lastBatchOffset }: SegmentReading,
  name: string,
  fileSystem: FileSystem,
): Promise<void> {
  const file = await fileSystem.open(join(dir, name), "update");
  try {
    if (fileSize > size) await file.truncate(size);
    const batch = Buffer.allocUnsafe(size - lastBatchOffset);
    await readFully(file, batch, lastBatchOffset);
    await writeFully(file, batch, lastBatchOffset);
    await file.sync();
  } finally {
    await file.close();
  }
}

function cutOf({ damage, size, fileSize }: SegmentReading): Cut | null {
  if (damage === null) return null;
  const { file, line, offset, reason } = damage;
  return { file, line, offset, bytes: fileSize - size, reason };
}
