import { dirname } from "node:path";
import { hasCode, OrgLoopError } from "@orgloop/sdk";
import { CHECKED_FROM, checksumFits, isSealed, sealLine } from "../checked-line.ts";
import { type FileSystem, type OpenFile, readFully, writeFully } from "../file-system.ts";

/** What a disk writes as a whole. */
const SLOT_BYTES = 512;
const SLOTS = 2;

/**
 * A small JSON object in a file of its own that is written in place, so that it needs no space on a
 * full disk and no descriptor: how far a log reaches, for example. It has two slots of one sector
 * each, which are written in turn: whatever a crash or a damaged sector does to one of them, the
 * other holds the object of the write before.
 */
export class MarkFile<Mark extends object> {
  readonly #file: OpenFile;
  #count: number;
  #mark: Mark;

  private constructor(file: OpenFile, count: number, mark: Mark) {
    this.#file = file;
    this.#count = count;
    this.#mark = mark;
  }

  /** Makes the file, durably; `EEXIST` where there is one. */
  static async create<Mark extends object>(
    path: string,
    mark: Mark,
    fileSystem: FileSystem,
  ): Promise<MarkFile<Mark>> {
    const file = await fileSystem.open(path, "create");
    const created = new MarkFile(file, 0, mark);
    try {
      await created.writeAll(mark);
      await fileSystem.syncDirectory(dirname(path));
    } catch (error) {
      await file.close();
      await fileSystem.remove(path).catch(() => undefined);
      throw error;
    }
    return created;
  }

  /** Null where there is no such file. Throws `MARK_DAMAGED`. */
  static async open<Mark extends object>(
    path: string,
    fileSystem: FileSystem,
  ): Promise<MarkFile<Mark> | null> {
    let file: OpenFile;
    try {
      file = await fileSystem.open(path, "update");
    } catch (error) {
      if (hasCode(error, "ENOENT")) return null;
      throw error;
    }
    try {
      const { count, mark } = await newest<Mark>(file, path);
      return new MarkFile(file, count, mark);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get mark(): Mark {
    return this.#mark;
  }

  /** Replaces the object. Not `durable`, a power cut may bring back the one before. */
  async write(mark: Mark, { durable }: { readonly durable: boolean }): Promise<void> {
    this.#count += 1;
    this.#mark = mark;
    await writeFully(this.#file, slotOf(this.#count, mark), (this.#count % SLOTS) * SLOT_BYTES);
    if (durable) await this.#file.sync();
  }

  /** Replaces the object in both slots, durably: no damage brings an older one back. */
  async writeAll(mark: Mark): Promise<void> {
    for (let slot = 1; slot < SLOTS; slot += 1) await this.write(mark, { durable: false });
    await this.write(mark, { durable: true });
  }

  /** Makes what was written durable. */
  sync(): Promise<void> {
    return this.#file.sync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/**
 * Reads the object of a {@link MarkFile}; null where there is no such file. Throws `MARK_DAMAGED`.
 */
export async function readMark<Mark extends object>(
  path: string,
  fileSystem: FileSystem,
): Promise<Mark | null> {
  let file: OpenFile;
  try {
    file = await fileSystem.open(path, "read");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
  try {
    return (await newest<Mark>(file, path)).mark;
  } finally {
    await file.close();
  }
}

interface Slot<Mark> {
  readonly count: number;
  readonly mark: Mark;
}

async function newest<Mark>(file: OpenFile, path: string): Promise<Slot<Mark>> {
  const bytes = Buffer.alloc(SLOTS * SLOT_BYTES);
  await readFully(file, bytes, 0);
  let found: Slot<Mark> | null = null;
  for (let start = 0; start < bytes.length; start += SLOT_BYTES) {
    const end = bytes.subarray(0, start + SLOT_BYTES).indexOf(0x0a, start);
    if (end < 0 || !isSealed(bytes, start, end) || !checksumFits(bytes, start, end)) continue;
    const slot = JSON.parse(bytes.toString("utf8", start, end)) as Slot<Mark>;
    if (found === null || slot.count > found.count) found = slot;
  }
  if (found !== null) return found;
  throw new OrgLoopError("MARK_DAMAGED", `${path}: neither of its two records can be read`);
}

/** A line, and blanks up to the end of the sector. */
function slotOf(count: number, mark: object): Buffer {
  const slot = Buffer.alloc(SLOT_BYTES, " ");
  const rest = Buffer.from(`${JSON.stringify({ count, mark }).slice(1)}`);
  if (CHECKED_FROM + rest.length + 2 > SLOT_BYTES) {
    throw new OrgLoopError("MARK_TOO_LARGE", `a mark of ${rest.length} bytes has no place`);
  }
  rest.copy(slot, CHECKED_FROM);
  sealLine(slot, 0, CHECKED_FROM + rest.length);
  slot[SLOT_BYTES - 1] = 0x0a;
  return slot;
}
