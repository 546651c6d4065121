import { join } from "node:path";
import { type FileSystem, type OpenDirectory, type OpenFile, writeFully } from "@orgloop/files";
import { failedError } from "../format/errors.ts";
import { encodeLine } from "../format/line.ts";
import type { LoggedEvent } from "../format/pending-lines.ts";
import { compactedName, type Position, type Segment, settledName } from "../format/segment.ts";
import { readLines } from "../read/read-lines.ts";

/** The part of the log that is no more written to. */
export interface SealedLog {
  readonly dir: string;
  readonly fileSystem: FileSystem;
  /** `dir`, held open: syncing a name must not need a descriptor. */
  readonly directory: OpenDirectory;
  /** In order; without gaps. */
  readonly segments: Segment[];
  /** The file whose name says what is settled before them. */
  settledName: string | null;
}

/**
 * Lets go of the oldest segments in which nothing is unsettled any more, up to line `through`;
 * resolves with the bytes given free. Needs no space.
 */
export async function dropSettled(log: SealedLog, through: number): Promise<number> {
  const { dir, fileSystem, segments } = log;
  const live = segments.findIndex((segment) => segment.live > 0 || segment.through > through);
  const dropped = segments.slice(0, live < 0 ? segments.length : live);
  const last = dropped.at(-1);
  if (last === undefined) return 0;
  const name = settledName(1, last.through);
  await fileSystem.rename(join(dir, last.name), join(dir, name));
  await syncNames(log);
  segments.splice(0, dropped.length);
  const before = log.settledName;
  log.settledName = name;
  // From here on the name stands for all of them: what a crash leaves is removed at the next
  // opening.
  const old = dropped.slice(0, -1).map((segment) => segment.name);
  if (before !== null) old.push(before);
  for (const each of old) await fileSystem.remove(join(dir, each));
  await empty(join(dir, name), fileSystem);
  return dropped.reduce((bytes, { size }) => bytes + size, 0);
}

async function empty(path: string, fileSystem: FileSystem): Promise<void> {
  const file = await fileSystem.open(path, "update");
  try {
    await file.truncate(0);
  } finally {
    await file.close();
  }
}

export interface Compaction {
  readonly segments: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly events: number;
}

/**
 * Writes what is unsettled in the sealed segments up to line `limit`, of which there are some, into
 * one, and removes them. Runs beside publishing. `unsettled` is every event whose ack is not
 * durable. Before the rename the log is as it was, after it the leftovers are recognised.
 */
export async function compact(
  log: SealedLog,
  limit: number,
  unsettled: Iterable<LoggedEvent>,
): Promise<Compaction> {
  const { dir, fileSystem } = log;
  const old = log.segments.filter((segment) => segment.through <= limit);
  const from = (old[0] as Segment).from;
  const through = (old.at(-1) as Segment).through;
  const lines = wantedLines(old, unsettled);
  const name = compactedName(from, through);
  const temporary = join(dir, `${name}.tmp`);
  const header = encodeLine(
    from,
    from,
    `"compacted":${JSON.stringify({ from, through, records: lines.length })}}`,
  );

  let size: number;
  try {
    size = await writeLines(temporary, header, log, lines);
    await fileSystem.rename(temporary, join(dir, name));
  } catch (error) {
    await fileSystem.remove(temporary).catch(() => undefined);
    throw error;
  }
  await syncNames(log);

  const compacted: Segment = { name, from, through, size, live: 0 };
  let offset = header.length;
  for (const { owner, position } of lines) {
    position.segment = compacted;
    position.offset = offset;
    offset += position.length;
    if (!owner.gone) compacted.live += position.length;
  }
  log.segments.splice(0, old.length, compacted);
  for (const segment of old) {
    if (segment.name !== name) await fileSystem.remove(join(dir, segment.name));
  }
  return {
    segments: old.length,
    bytesBefore: old.reduce((bytes, segment) => bytes + segment.size, 0),
    bytesAfter: size,
    events: lines.reduce((count, { owner, position }) => count + (owner === position ? 1 : 0), 0),
  };
}

interface WantedLine {
  readonly owner: LoggedEvent;
  readonly position: {
    seq: number;
    segment: Segment | null;
    offset: number;
    readonly length: number;
  };
}

function wantedLines(old: readonly Segment[], unsettled: Iterable<LoggedEvent>): WantedLine[] {
  const among = new Set(old);
  const lines: WantedLine[] = [];
  for (const owner of unsettled) {
    for (const position of [owner, ...owner.settles]) {
      if (position.segment !== null && among.has(position.segment)) lines.push({ owner, position });
    }
  }
  return lines.sort((a, b) => a.position.seq - b.position.seq);
}

const WRITE_BYTES = 1024 * 1024;
/** Synced in parts, so that no sync of the log waits for much of it. */
const SYNC_BYTES = 16 * 1024 * 1024;

async function writeLines(
  path: string,
  header: Buffer,
  { dir, fileSystem }: SealedLog,
  lines: readonly WantedLine[],
): Promise<number> {
  const file = await fileSystem.open(path, "replace");
  try {
    let pending: Buffer[] = [header];
    let pendingBytes = header.length;
    let size = 0;
    let synced = 0;
    const positions = lines.map(({ position: { seq, segment, offset, length } }) => ({
      seq,
      segment,
      offset,
      length,
    }));
    for await (const bytes of readLines(dir, positions as Position[], fileSystem)) {
      pending.push(Buffer.from(bytes));
      pendingBytes += bytes.length;
      if (pendingBytes < WRITE_BYTES) continue;
      size += await write(file, pending, size);
      pending = [];
      pendingBytes = 0;
      if (size - synced < SYNC_BYTES) continue;
      await file.sync();
      synced = size;
    }
    size += await write(file, pending, size);
    await file.sync();
    return size;
  } finally {
    await file.close();
  }
}

async function write(file: OpenFile, parts: Buffer[], position: number): Promise<number> {
  const bytes = Buffer.concat(parts);
  await writeFully(file, bytes, position);
  return bytes.length;
}

async function syncNames({ dir, directory }: SealedLog): Promise<void> {
  try {
    await directory.sync();
  } catch (cause) {
    throw failedError(dir, "fsync of the directory", cause);
  }
}
