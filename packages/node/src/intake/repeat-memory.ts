import { formatMark, parseMark, type RepeatMark, RepeatTable } from "@orgloop/engine";
import type { FileSystem, MadeFiles } from "@orgloop/files";
import { messageOf } from "@orgloop/sdk";
import { fileRepeats } from "@orgloop/stores";
import type { RepeatMemory } from "./repeats.ts";

export interface OpenRepeatMemoryOptions {
  readonly dir: string;
  /** Ids at most; default {@link REPEATS_KEPT}. */
  readonly most?: number;
  readonly fileSystem?: FileSystem;
  readonly made?: MadeFiles | undefined;
  readonly warn: (message: string) => void;
}

/** A {@link RepeatMemory} on the disk, and what the bus's log does with it. */
export interface OpenRepeatMemory extends RepeatMemory {
  /** The log's notes up to this line are in it. */
  readonly through: number;
  /** A mark that stands in the log. `settled`: its line may go with the next compaction. */
  load(mark: string, as: { readonly settled: boolean }): void;
  /**
   * Writes what was kept. Resolves also where the disk refuses: that is told, and tried again the
   * next time.
   */
  flush(through: number): Promise<void>;
  close(): Promise<void>;
}

/** So many wait in memory at most before they are written by themselves. */
const FLUSH_AT = 4_096;
/** Fewer than this in the file are not worth a rewrite. */
const MIN_REWRITE = 10_000;

/** Nothing is too old to be taken from the disk: windows are looked at when an id comes again. */
const NOTHING_FORGOTTEN = 0;

export async function openRepeatMemory(
  options: OpenRepeatMemoryOptions,
): Promise<OpenRepeatMemory> {
  const { warn, most } = options;
  const table = new RepeatTable(most);
  let waiting: string[] = [];
  const file = await fileRepeats({ ...options, onMark: (text) => takeInText(table, text) });
  let failing = false;
  let flushing: Promise<void> = Promise.resolve();

  async function write(through: number): Promise<void> {
    if (waiting.length === 0 && through <= file.through) return;
    const added = waiting;
    waiting = [];
    try {
      await file.append(added, through);
      failing = false;
      if (file.marks > MIN_REWRITE && file.marks > 2 * table.size) {
        await file.rewrite(table.marks().map(formatMark));
      }
    } catch (error) {
      if (!failing) warn(`ids that are known again are not written: ${messageOf(error)}`);
      failing = true;
      // What has had to make room in memory need not be written either.
      waiting = [...added, ...waiting].slice(-Math.max(FLUSH_AT, table.size));
    }
  }

  function flush(through: number): Promise<void> {
    flushing = flushing.then(() => write(through));
    return flushing;
  }

  function keep(mark: RepeatMark): void {
    waiting.push(formatMark(mark));
    if (waiting.length % FLUSH_AT === 0 && !failing) void flush(file.through);
  }

  return {
    table,
    get through() {
      return file.through;
    },
    saltOf: (source) => `${source}\0${file.epochs.get(source) ?? 0}`,
    keep,
    forget: (source) => file.beginEpoch(source),
    load(text, { settled }) {
      const mark = parseMark(text);
      if (mark === null || !takeIn(table, mark)) return;
      if (settled) keep(mark);
    },
    flush,
    async close() {
      await flush(file.through);
      await file.close();
    },
  };
}

function takeInText(table: RepeatTable, text: string): void {
  const mark = parseMark(text);
  if (mark !== null) takeIn(table, mark);
}

/**
 * The later of two with one key counts: the id came again when its window was over. False where it
 * is in already.
 */
function takeIn(table: RepeatTable, mark: RepeatMark): boolean {
  const known = table.find(mark);
  if (known !== null) {
    if (known.at >= mark.at) return false;
    table.delete(known);
  }
  return table.add(mark, NOTHING_FORGOTTEN);
}
