import { hasCode } from "@orgloop/sdk";
import type { MadeFiles } from "./checked-lines-options.ts";
import type { FileSystem, OpenFile } from "./file-system.ts";
import type { Reached } from "./mark/high-water-mark.ts";
import { readMark } from "./mark/mark-file.ts";
import { lostWith, notOwn, ownLines } from "./open-lines.ts";
import { type LinesSurvey, surveyLines } from "./survey-lines.ts";

/** What a look at a file of checksummed lines has found; nothing is changed. */
export interface LinesVerdict {
  readonly lines: number;
  /** What is wrong, and where; one text each. */
  readonly problems: readonly string[];
  /** A start would refuse it (`STORE_FOREIGN`). */
  readonly refused: boolean;
}

export interface VerifyLinesOptions {
  /** Throws for a body that is none of its store's. */
  readonly parse: (body: Buffer) => unknown;
  readonly made: Pick<MadeFiles, "has">;
  readonly fileSystem: FileSystem;
}

/**
 * Looks at a file of `CheckedLines`, also while it is written. Without a file there is nothing
 * wrong where it was never made.
 */
export async function verifyLines(
  path: string,
  { parse, made, fileSystem }: VerifyLinesOptions,
): Promise<LinesVerdict> {
  // Before the file: what is written meanwhile comes after it.
  const mark = await markOf(`${path}.mark`, fileSystem);
  let file: OpenFile;
  try {
    file = await fileSystem.open(path, "read");
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
    const lost = lostWith(mark, made.has(path));
    const problems = lost === null ? [] : [`${path} is gone; lost: ${lost}`];
    return { lines: 0, problems, refused: false };
  }
  try {
    const survey = await surveyLines(file, mark, ownLines(path, parse));
    const problems = problemsOf(path, mark, survey);
    return { lines: Math.max(0, survey.last), problems, refused: false };
  } catch (error) {
    if (hasCode(error, "STORE_FOREIGN")) return refused(error);
    // It can be opened to be read, and not be read.
    if (hasCode(error, "EISDIR")) return refused(notOwn(path, "a directory", error));
    throw error;
  } finally {
    await file.close();
  }
}

const refused = ({ message }: Error): LinesVerdict => ({
  lines: 0,
  problems: [message],
  refused: true,
});

function problemsOf(path: string, mark: Reached | null, survey: LinesSurvey): readonly string[] {
  const found = survey.damages.map(({ reason, line }) =>
    line === null ? `${path}: ${reason}` : `${path}:${line}: ${reason}`,
  );
  const { kind, generation } = survey;
  if (kind !== "checked") return found;
  if (mark === null) found.push(`${path}: its mark is gone, which would show a missing end`);
  else if (generation !== null && generation < mark.generation) {
    found.push(`${path}: it is older than its mark`);
  }
  return found;
}

async function markOf(path: string, fileSystem: FileSystem): Promise<Reached | null> {
  try {
    return await readMark<Reached>(path, fileSystem);
  } catch (error) {
    if (hasCode(error, "MARK_DAMAGED")) return null;
    throw error;
  }
}
