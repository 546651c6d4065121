import { join } from "node:path";
import {
  type DirectoryLock,
  type FileSystem,
  lockDirectory,
  nodeFileSystem,
  readFully,
  replaceFile,
  writeFully,
} from "@orgloop/files";
import { encodeLine } from "./line.ts";
import type { BadLine } from "./scan.ts";
import { compactedName, settledName } from "./segment.ts";
import { type Survey, type SurveyedFile, surveyLog } from "./survey.ts";
import { reportOf, type WalReport } from "./verify.ts";

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
 * Makes a damaged log one that opens: bad lines are taken out into `*.corrupt` files beside, missing numbers are written off.
 * What the problems' `loses` says is lost then. Crash-safe: it can be run again. Throws `LOCKED` while a process has the log.
 */
export async function repairWal(dir: string, options: WalRepairOptions = {}): Promise<WalRepair> {
  const { apply = false, fileSystem = nodeFileSystem, lock = lockDirectory } = options;
  const held = await lock(dir);
  try {
    const survey = await surveyLog(dir, fileSystem);
    const actions = planRepair(dir, survey, fileSystem);
    if (apply) for (const action of actions) await action.run();
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
  const actions: Action[] = [];
  const { files, problems } = survey;
  for (const { missing, file } of problems) {
    if (missing === undefined) continue;
    const { from, through } = missing;
    actions.push({
      text: `write off the missing numbers ${from} to ${through} before ${file}`,
      run: () => replaceFile(join(dir, settledName(from, through)), "", fileSystem),
    });
  }
  const givesUp = problems.some(({ kind }) => kind !== "torn");
  for (const [index, file] of files.entries()) {
    const { name, bad, size } = file;
    const own = problems.filter((problem) => problem.file === name.name);
    const kept = `${name.name}.corrupt`;
    const next = files[index + 1]?.name.from;
    const through = name.through ?? (next === undefined ? file.lastSeq : next - 1);
    const run = () => rewrite(dir, file, Math.max(through, name.from), kept, fileSystem);
    const bytes = bad.reduce((sum, { length }) => sum + length, 0);
    const text = `take ${bad.length} bad lines (${bytes} bytes) out of ${name.name}, keep them in ${kept}`;
    if (givesUp && next === undefined && name.kind === "ordinary") {
      // First of all: its index names what the other actions give up.
      actions.unshift({ text: bad.length > 0 ? text : `write ${name.name} anew`, run });
    } else if (own.some(({ kind }) => kind === "torn")) {
      const offset = (bad[0] as BadLine).offset;
      actions.push({
        text: `cut the torn end of ${name.name} at byte ${offset} (${size - offset} bytes, kept in ${kept})`,
        run: () => cutTail(dir, file, offset, kept, fileSystem),
      });
    } else if (own.some(({ kind, overlaps }) => kind !== "missing" && overlaps !== true)) {
      actions.push({ text, run });
    }
  }
  return actions;
}

async function cutTail(
  dir: string,
  { name, size }: SurveyedFile,
  offset: number,
  kept: string,
  fileSystem: FileSystem,
): Promise<void> {
  const file = await fileSystem.open(join(dir, name.name), "update");
  try {
    const bytes = Buffer.alloc(size - offset);
    await readFully(file, bytes, offset);
    await replaceFile(join(dir, kept), bytes, fileSystem);
    await file.truncate(offset);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Writes the good lines into a compacted segment of the same numbers, then removes the damaged one. */
async function rewrite(
  dir: string,
  { name, size, bad, lines }: SurveyedFile,
  through: number,
  kept: string,
  fileSystem: FileSystem,
): Promise<void> {
  const target = compactedName(name.from, through);
  const temporary = join(dir, `${target}.tmp`);
  const from = await fileSystem.open(join(dir, name.name), "read");
  const into = await fileSystem.open(temporary, "replace");
  try {
    const cut: Buffer[] = [];
    // A compacted segment's own first line is written anew.
    const header = name.kind === "compacted" && bad[0]?.line !== 1;
    const first = header ? await firstLineBytes(from, size) : 0;
    const records = header ? lines - 1 : lines;
    const head = encodeLine(
      name.from,
      name.from,
      `"compacted":${JSON.stringify({ from: name.from, through, records })}}`,
    );
    await writeFully(into, head, 0);
    let written = head.length;
    let position = first;
    for (const each of [...bad, { offset: size, length: 0 }]) {
      written = await copy(from, position, each.offset, into, written);
      const bytes = Buffer.alloc(each.length);
      await readFully(from, bytes, each.offset);
      cut.push(bytes);
      position = each.offset + each.length;
    }
    await into.sync();
    if (bad.length > 0) await replaceFile(join(dir, kept), Buffer.concat(cut), fileSystem);
  } finally {
    await from.close();
    await into.close();
  }
  await fileSystem.rename(temporary, join(dir, target));
  await fileSystem.syncDirectory(dir);
  if (target !== name.name) await fileSystem.remove(join(dir, name.name));
  await fileSystem.syncDirectory(dir);
}

const COPY_BYTES = 1024 * 1024;

type File = Awaited<ReturnType<FileSystem["open"]>>;

async function copy(
  from: File,
  start: number,
  end: number,
  into: File,
  position: number,
): Promise<number> {
  let written = position;
  for (let at = start; at < end; at += COPY_BYTES) {
    const bytes = Buffer.alloc(Math.min(COPY_BYTES, end - at));
    await readFully(from, bytes, at);
    await writeFully(into, bytes, written);
    written += bytes.length;
  }
  return written;
}

async function firstLineBytes(file: File, size: number): Promise<number> {
  const bytes = Buffer.alloc(Math.min(size, 1024));
  await readFully(file, bytes, 0);
  return bytes.indexOf(0x0a) + 1;
}
