import { join } from "node:path";
import { type FileSystem, LinesFile, nodeFileSystem } from "@orgloop/files";

export interface FileRepeatsOptions {
  /** Made where missing; holds `repeats.jsonl`. */
  readonly dir: string;
  readonly fileSystem?: FileSystem;
  /** Every mark of the file, in the order in which they were kept. */
  readonly onMark: (mark: string) => void;
  /** Told of what cannot be read; what it said is forgotten. */
  readonly warn?: (message: string) => void;
}

/** Marks by which repeats are known, after the bus has forgotten their events. */
export interface FileRepeats {
  /** Marks in the file, those that nobody wants any more included. */
  readonly marks: number;
  /** What the bus said up to this line of its log is in the file. */
  readonly through: number;
  /** How often a source began anew. */
  lifeOf(source: string): number;
  /** Resolves when a power cut would not lose them. */
  append(marks: readonly string[], through: number): Promise<void>;
  /** The source begins anew; resolves when that is durable. */
  beginLife(source: string): Promise<void>;
  /** Replaces what is in the file by `marks`, durably. */
  rewrite(marks: Iterable<string>): Promise<void>;
  close(): Promise<void>;
}

/** 32 hex digits each, written one after the other. */
const MARK_LENGTH = 32;
const LINE = /^(?:[0-9a-f]{32})*$/;
const MARKS_A_LINE = 4_096;

interface Line {
  readonly through: number;
  readonly lives: Readonly<Record<string, number>>;
  readonly marks: string;
}

/**
 * An append-only file of lines `{ through, lives, marks }`. A line that is no such line is told of and left out: an id that is forgotten lets
 * a repeat through, which at-least-once allows. Nobody else may write the file meanwhile (`lockDirectory`).
 */
export async function fileRepeats(options: FileRepeatsOptions): Promise<FileRepeats> {
  const { dir, fileSystem = nodeFileSystem, onMark, warn = () => {} } = options;
  const path = join(dir, "repeats.jsonl");
  await fileSystem.makeDirectory(dir);
  let lives: Readonly<Record<string, number>> = {};
  let through = 0;
  let marks = 0;
  let number = 0;
  const file = await LinesFile.open(path, fileSystem, (text) => {
    number += 1;
    const line = parseLine(text);
    if (line === null) {
      warn(
        `${path}:${number} cannot be read: ids that it kept are not known again when they are sent again`,
      );
      return;
    }
    ({ lives, through } = line);
    marks += line.marks.length / MARK_LENGTH;
    for (let at = 0; at < line.marks.length; at += MARK_LENGTH) {
      onMark(line.marks.slice(at, at + MARK_LENGTH));
    }
  });

  const write = (added: readonly string[], upTo: number, with_: Line["lives"]): Promise<void> =>
    file.inTurn(async () => {
      const next = Math.max(upTo, through);
      const lines = [...linesOf(added, next, with_)].join("");
      await file.append(lines, { durable: true });
      through = next;
      lives = with_;
      marks += added.length;
    });

  return {
    get marks() {
      return marks;
    },
    get through() {
      return through;
    },
    lifeOf: (source) => lives[source] ?? 0,
    append: (added, upTo) => write(added, upTo, lives),
    beginLife: (source) => write([], through, { ...lives, [source]: (lives[source] ?? 0) + 1 }),
    rewrite: (wanted) =>
      file.inTurn(async () => {
        let kept = 0;
        const counted = function* () {
          for (const mark of wanted) {
            kept += 1;
            yield mark;
          }
        };
        await file.rewrite(bytesOf(linesOf(counted(), through, lives)));
        marks = kept;
      }),
    close: () => file.inTurn(() => file.close()),
  };
}

function* linesOf(
  marks: Iterable<string>,
  through: number,
  lives: Line["lives"],
): Generator<string> {
  const lineOf = (text: string) => `${JSON.stringify({ through, lives, marks: text })}\n`;
  let waiting: string[] = [];
  for (const mark of marks) {
    waiting.push(mark);
    if (waiting.length < MARKS_A_LINE) continue;
    yield lineOf(waiting.join(""));
    waiting = [];
  }
  yield lineOf(waiting.join(""));
}

function* bytesOf(lines: Iterable<string>): Generator<Uint8Array> {
  for (const line of lines) yield Buffer.from(line);
}

function parseLine(text: string): Line | null {
  let value: Partial<Line> | null;
  try {
    value = JSON.parse(text) as Partial<Line> | null;
  } catch {
    return null;
  }
  const { through, lives, marks } = value ?? {};
  const isWhole =
    typeof through === "number" &&
    typeof lives === "object" &&
    lives !== null &&
    typeof marks === "string" &&
    LINE.test(marks);
  return isWhole ? { through, lives, marks } : null;
}
