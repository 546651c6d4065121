import { basename, dirname } from "node:path";
import { hasCode } from "@orgloop/sdk";
import { byteLines } from "./byte-lines.ts";
import { decodeChecked } from "./checked-line.ts";
import type { CheckedLinesOptions } from "./checked-lines-options.ts";
import { type FileSystem, type OpenFile, readFully, writeFully } from "./file-system.ts";
import { readBodies } from "./read-bodies.ts";
import type { Place } from "./read-lines.ts";
import type { LineDamage } from "./survey-lines.ts";

/** Of damaged bytes no more than this is looked at for what they held. */
const LOOK_BYTES = 1024 ** 2;

/**
 * Keeps the damaged bytes beside the file, durably, and says what is damaged and lost: one message
 * each. Resolves when the file may be written without them.
 */
export async function keepDamaged(
  { path, fileSystem, loss, advice, warn }: CheckedLinesOptions,
  file: OpenFile,
  damages: readonly LineDamage[],
): Promise<void> {
  const places = damages.map(({ place }) => place).filter(({ length }) => length > 0);
  const kept = places.length === 0 ? null : await copyBeside(path, fileSystem, file, places);
  for (const { reason, line, lost, place } of damages) {
    const bytes = Buffer.alloc(Math.min(place.length, LOOK_BYTES));
    await readFully(file, bytes, place.offset);
    const where = line === null ? path : `${path}:${line} (byte ${place.offset})`;
    const beside =
      place.length === 0 || kept === null ? "" : `; the bytes are kept in ${basename(kept)}`;
    warn(`${where} is damaged: ${reason}; ${lossOf(loss(bytes), lost, place)}${beside}. ${advice}`);
  }
}

function lossOf(named: string, lost: number, { length }: Place): string {
  if (named !== "") return `lost: ${named}`;
  if (lost > 0) return lost === 1 ? "lost: one line" : `lost: ${lost} lines`;
  return length === 0 ? "nothing is lost" : "what stood there is not known";
}

async function copyBeside(
  path: string,
  fileSystem: FileSystem,
  file: OpenFile,
  places: readonly Place[],
): Promise<string> {
  const { name, copy } = await createBeside(path, fileSystem);
  try {
    let size = 0;
    for (const { offset, length } of places) {
      for (let done = 0; done < length; done += LOOK_BYTES) {
        const bytes = Buffer.alloc(Math.min(LOOK_BYTES, length - done));
        await readFully(file, bytes, offset + done);
        await writeFully(copy, bytes, size);
        size += bytes.length;
      }
    }
    await copy.sync();
  } finally {
    await copy.close();
  }
  await fileSystem.syncDirectory(dirname(path));
  return name;
}

async function createBeside(path: string, fileSystem: FileSystem) {
  const time = new Date().toISOString().replace(/[:.]/g, "-");
  for (let number = 1; ; number += 1) {
    const name = `${path}.damaged-${time}-${number}`;
    try {
      return { name, copy: await fileSystem.open(name, "create") };
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
  }
}

/**
 * The bodies of all sound lines before `end`, each once, in the order of their numbers, whatever
 * stands between them.
 */
export async function* soundBodies(
  file: OpenFile,
  path: string,
  end: number,
): AsyncGenerator<Buffer> {
  const places = new Map<number, Place>();
  for await (const lines of byteLines(file)) {
    for (const { bytes, place, ended } of lines) {
      const line = ended && place.offset < end ? decodeChecked(bytes) : null;
      if (line !== null && line.seq > 0 && !places.has(line.seq)) places.set(line.seq, place);
    }
  }
  const inOrder = [...places].sort(([a], [b]) => a - b).map(([, place]) => place);
  yield* readBodies(file, path, inOrder);
}

/**
 * The bodies of lines that an earlier version wrote. `onForeign` gets the places of lines that no
 * version wrote.
 */
export async function* plainBodies(
  file: OpenFile,
  upgrade: (line: string) => string | null,
  onForeign: (place: Place, line: number) => void,
): AsyncGenerator<string> {
  let number = 0;
  for await (const lines of byteLines(file)) {
    for (const { bytes, place, ended } of lines) {
      number += 1;
      const body = ended ? upgrade(bytes.toString("utf8")) : null;
      if (body !== null) yield body;
      else if (ended && bytes.length > 0) onForeign(place, number);
    }
  }
}
