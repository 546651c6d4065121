import { join } from "node:path";
import {
  type DirectoryLock,
  type FileSystem,
  lockDirectory,
  MarkFile,
  nodeFileSystem,
  type OpenFile,
  writeFully,
} from "@orgloop/files";
import { hasCode } from "@orgloop/sdk";
import { LOG_FORMAT } from "../format/first-line.ts";
import { type HighWater, highWaterPath } from "../format/high-water.ts";
import { encodeLine } from "../format/line.ts";
import { compactedName, type Position } from "../format/segment.ts";
import { readLines } from "../read/read-lines.ts";
import { readLog } from "../read/read-log.ts";
import type { SavedLine } from "./evidence.ts";
import { keepAside } from "./keep-aside.ts";
import type { Survey, TornEnd } from "./survey.ts";
import type { SurveyedFile } from "./survey-file.ts";
import { judgeLog, reportOf, type WalReport } from "./verify.ts";

export interface WalRepairOptions {
  /** False (the default) only says what would be done. */
  readonly apply?: boolean;
  readonly fileSystem?: FileSystem;
  readonly lock?: (dir: string) => Promise<DirectoryLock>;
}

export interface WalRepair extends WalReport {
  /** What is done, or would be, in words. Empty where nothing is to do. */
  readonly actions: readonly string[];
  readonly applied: boolean;
}

interface Action {
  readonly text: string;
  readonly run: () => Promise<void>;
}

/**
 * Makes a damaged log one that opens: what is unsettled in its good lines is written into a segment
 * of its own, and bad bytes are kept in `*.corrupt` files beside. Lost is then what the problems'
 * `lost` say, and nothing else. Crash-safe: it can be run again. Resolves when it has been read as
 * a start reads it. Throws `LOCKED` while a process has the log, and `WAL_FORMAT` where a newer
 * release wrote it.
 */
export async function repairWal(dir: string, options: WalRepairOptions = {}): Promise<WalRepair> {
  const { apply = false, fileSystem = nodeFileSystem, lock = lockDirectory } = options;
  const held = await lock(dir);
  try {
    const survey = await judgeLog(dir, fileSystem);
    const actions = planRepair(dir, survey, fileSystem);
    if (apply) {
      for (const action of actions) await action.run();
      // Throws where it could not be opened after all.
      await readLog(dir, fileSystem, { indexed: true });
    }
    return {
      ...reportOf(dir, survey),
      actions: actions.map(({ text }) => text),
      applied: apply,
    };
  } finally {
    await held.release();
  }
}

function planRepair(dir: string, survey: Survey, fileSystem: FileSystem): Action[] {
  const { torn, problems, files, names, leftovers, through, evidence } = survey;
  if (problems.every(({ kind }) => kind === "torn")) {
    return torn === null ? [] : [cutAction(dir, torn, fileSystem)];
  }
  const actions: Action[] = [];
  for (const { name, bad } of files) {
    if (bad.length === 0) continue;
    const bytes = bad.reduce((sum, { start, end }) => sum + end - start, 0);
    actions.push({
      text: `keep ${count(bad.length, "bad line")} (${bytes} bytes) of ${name.name} in ${name.name}.corrupt`,
      run: () => keepBad(dir, name.name, bad, fileSystem),
    });
  }
  if (torn !== null) actions.push(cutAction(dir, torn, fileSystem));
  const lines = evidence.saved();
  const target = compactedName(1, Math.max(1, through));
  actions.push({
    text: `write what is unsettled in the good lines (${count(lines.length, "line")}) into ${target}, in place of ${names.join(", ")}`,
    async run() {
      await writeSaved(dir, target, Math.max(1, through), lines, fileSystem);
      await writeMark(dir, Math.max(1, through), fileSystem);
      for (const name of [...names, ...leftovers]) {
        if (name !== target) await fileSystem.remove(join(dir, name));
      }
      await fileSystem.syncDirectory(dir);
    },
  });
  return actions;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

async function keepBad(
  dir: string,
  name: string,
  bad: SurveyedFile["bad"],
  fileSystem: FileSystem,
): Promise<void> {
  const file = await fileSystem.open(join(dir, name), "read");
  try {
    await keepAside(dir, file, bad, `${name}.corrupt`, fileSystem);
  } finally {
    await file.close();
  }
}

function cutAction(dir: string, torn: TornEnd, fileSystem: FileSystem): Action {
  const { name, offset, fileSize } = torn;
  const kept = `${name}.cut-${offset}`;
  return {
    text: `cut the torn end of ${name} at byte ${offset} (${fileSize - offset} bytes, kept in ${kept})`,
    async run() {
      const file = await fileSystem.open(join(dir, name), "update");
      try {
        await keepAside(dir, file, [{ start: offset, end: fileSize }], kept, fileSystem);
        await file.truncate(offset);
        await file.sync();
      } finally {
        await file.close();
      }
    },
  };
}

/** Writes lines into a compacted segment that stands for the whole log. */
async function writeSaved(
  dir: string,
  name: string,
  through: number,
  lines: readonly SavedLine[],
  fileSystem: FileSystem,
): Promise<void> {
  const temporary = join(dir, `${name}.tmp`);
  const file = await fileSystem.open(temporary, "replace");
  try {
    const content = { from: 1, through, records: lines.length };
    let parts = [encodeLine(1, 1, `"compacted":${JSON.stringify(content)}}`)];
    let position = 0;
    for await (const line of bytesOf(dir, lines, fileSystem)) {
      parts.push(Buffer.from(line));
      if (parts.length < LINES_AT_ONCE) continue;
      position = await write(file, parts, position);
      parts = [];
    }
    await write(file, parts, position);
    await file.sync();
  } finally {
    await file.close();
  }
  await fileSystem.rename(temporary, join(dir, name));
  await fileSystem.syncDirectory(dir);
}

const LINES_AT_ONCE = 1_000;

async function write(file: OpenFile, parts: Buffer[], position: number): Promise<number> {
  const bytes = Buffer.concat(parts);
  await writeFully(file, bytes, position);
  return position + bytes.length;
}

async function* bytesOf(
  dir: string,
  lines: readonly SavedLine[],
  fileSystem: FileSystem,
): AsyncGenerator<Buffer> {
  const positions = lines.flatMap(({ source }): Position[] =>
    Buffer.isBuffer(source) ? [] : [source],
  );
  const read = readLines(dir, positions, fileSystem);
  for (const { source } of lines) {
    if (Buffer.isBuffer(source)) yield source;
    else yield (await read.next()).value as Buffer;
  }
}

/** The log goes on with a new segment. */
async function writeMark(dir: string, through: number, fileSystem: FileSystem): Promise<void> {
  const path = highWaterPath(dir);
  const mark: HighWater = {
    ...{ format: LOG_FORMAT, through, segment: through + 1, bytes: 0, closed: false },
  };
  let file: MarkFile<HighWater> | null = null;
  try {
    file = await MarkFile.open<HighWater>(path, fileSystem);
  } catch (error) {
    if (!hasCode(error, "MARK_DAMAGED")) throw error;
    await fileSystem.remove(path);
  }
  if (file === null) file = await MarkFile.create(path, mark, fileSystem);
  else await file.writeAll(mark);
  await file.close();
}
