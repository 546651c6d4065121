import { isDeepStrictEqual } from "node:util";
import { type FileSystem, nodeFileSystem } from "@orgloop/files";
import { hasCode } from "@orgloop/sdk";
import type { DamageError } from "../format/errors.ts";
import { readLog } from "../read/read-log.ts";
import { type Survey, surveyLog, type WalProblem } from "./survey.ts";

export interface WalReport {
  readonly dir: string;
  /** Files with lines. */
  readonly segments: number;
  readonly bytes: number;
  /** Good ones. */
  readonly lines: number;
  /** In the order of the log; empty where all is well. */
  readonly problems: readonly WalProblem[];
  /**
   * Files beside the log that hold what a start cut off or a repair took out. They are no part of
   * it: look, then delete them.
   */
  readonly kept: readonly string[];
}

export interface WalReadOptions {
  readonly fileSystem?: FileSystem;
}

/** A running process removes files under the reader: then the reading begins again. */
const READINGS = 20;

/**
 * Reads every line of the log in `dir` and says what is damaged and what that would lose. Changes
 * nothing; fine while a process runs.
 */
export async function verifyWal(
  dir: string,
  { fileSystem = nodeFileSystem }: WalReadOptions = {},
): Promise<WalReport> {
  let survey = await whileItChanges(() => judgeLog(dir, fileSystem));
  // A running process may have changed the files between two looks: damage is found again.
  for (let reading = 1; reading < READINGS && isDamaged(survey); reading += 1) {
    const before = survey;
    survey = await whileItChanges(() => judgeLog(dir, fileSystem));
    if (isDeepStrictEqual(survey.problems, before.problems)) break;
  }
  return reportOf(dir, survey);
}

function isDamaged({ problems }: Survey): boolean {
  return problems.some(({ kind }) => kind !== "torn");
}

/** {@link surveyLog}, which names every damage; and what a start would refuse besides. */
export async function judgeLog(dir: string, fileSystem: FileSystem): Promise<Survey> {
  const survey = await surveyLog(dir, fileSystem);
  if (isDamaged(survey)) return survey;
  try {
    await readLog(dir, fileSystem, { indexed: true });
    return survey;
  } catch (error) {
    if (!hasCode(error, "WAL_CORRUPT")) throw error;
    const { damage } = error as DamageError;
    const problem: WalProblem = {
      ...{ ...damage, kind: "mismatch", bytes: 0, lost: [], eventId: null },
      loses: "nothing that its good lines say",
    };
    return { ...survey, problems: [...survey.problems, problem] };
  }
}

export function reportOf(dir: string, { files, problems, kept }: Survey): WalReport {
  return {
    dir,
    segments: files.length,
    bytes: files.reduce((bytes, { size }) => bytes + size, 0),
    lines: files.reduce((count, { lines }) => count + lines, 0),
    problems,
    kept,
  };
}

/** Reads again where a file was gone when its turn came. */
export async function whileItChanges<T>(read: () => Promise<T>): Promise<T> {
  for (let reading = 1; ; reading += 1) {
    try {
      return await read();
    } catch (error) {
      if (reading === READINGS || !hasCode(error, "ENOENT")) throw error;
    }
  }
}
