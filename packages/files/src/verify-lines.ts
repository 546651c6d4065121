import { hasCode } from "@orgloop/sdk";
import type { FileSystem, OpenFile } from "./file-system.ts";
import type { Reached } from "./high-water-mark.ts";
import { readMark } from "./mark-file.ts";
import { type LinesSurvey, surveyLines } from "./survey-lines.ts";

/** What a look at a file of checksummed lines has found; nothing is changed. */
export interface LinesVerdict {
  readonly lines: number;
  /** What is wrong, and where; one text each. */
  readonly problems: readonly string[];
}

/** Looks at a file of `CheckedLines`, also while it is written. Without a file and a mark there is nothing wrong. */
export async function verifyLines(path: string, fileSystem: FileSystem): Promise<LinesVerdict> {
  // Before the file: what is written meanwhile comes after it.
  const mark = await markOf(`${path}.mark`, fileSystem);
  let file: OpenFile;
  try {
    file = await fileSystem.open(path, "read");
  } catch (error) {
    if (hasCode(error, "EISDIR")) return { lines: 0, problems: [`${path} is a directory`] };
    if (!hasCode(error, "ENOENT")) throw error;
    const lost = mark?.synced ?? 0;
    return { lines: 0, problems: lost > 0 ? [`${path} is gone with its ${lost} lines`] : [] };
  }
  try {
    const survey = await surveyLines(file, mark, () => {});
    return { lines: Math.max(0, survey.last), problems: problemsOf(path, mark, survey) };
  } finally {
    await file.close();
  }
}

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
