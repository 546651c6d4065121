import { join } from "node:path";
import { CheckedLines, type FileSystem, type MadeFiles, nodeFileSystem } from "@orgloop/files";
import { isMapping } from "@orgloop/sdk";

export interface FileRepeatsOptions {
  /** Made where missing; holds `repeats.jsonl`. */
  readonly dir: string;
  readonly fileSystem?: FileSystem;
  /** Where it is kept that the file was made. */
  readonly made?: MadeFiles | undefined;
  /**
   * Every mark of the file, in the order in which they were kept; once more where the file had to
   * be mended.
   */
  readonly onMark: (mark: string) => void;
  /** Told of damage; what those lines said is forgotten. */
  readonly warn?: (message: string) => void;
}

/** Marks by which repeats are known, after the bus has forgotten their events. */
export interface FileRepeats {
  /** Marks in the file, those that nobody wants any more included. */
  readonly marks: number;
  /** What the bus said up to this line of its log is in the file. */
  readonly through: number;
  /** How often each source began anew; absent: never. */
  readonly epochs: ReadonlyMap<string, number>;
  /** Resolves when a power cut would not lose them. */
  append(marks: readonly string[], through: number): Promise<void>;
  /** The source begins anew; resolves when that is durable. */
  beginEpoch(source: string): Promise<void>;
  /** Replaces what is in the file by `marks`, durably. */
  rewrite(marks: Iterable<string>): Promise<void>;
  close(): Promise<void>;
}

/** 32 hex digits each, written one after the other. */
const MARK_LENGTH = 32;
const MARKS_A_LINE = 4_096;

interface Line {
  readonly through: number;
  readonly lives: Readonly<Record<string, number>>;
  readonly marks: string;
}

/** Throws where a body is no line of repeats. */
export function parseRepeatsLine(body: Buffer): Line {
  const line = JSON.parse(body.toString());
  const { through, lives, marks } = line;
  if (typeof through === "number" && isMapping(lives) && typeof marks === "string") return line;
  throw new Error("a line of it holds no ids of events");
}

/**
 * A file of checksummed lines (`CheckedLines`), `{ through, lives, marks }`. A damaged one is left
 * out: an id that is forgotten lets a repeat through, which at-least-once allows. Nobody else may
 * write the file meanwhile (`lockDirectory`).
 */
export async function fileRepeats(options: FileRepeatsOptions): Promise<FileRepeats> {
  const { dir, fileSystem = nodeFileSystem, made, onMark, warn = () => {} } = options;
  const path = join(dir, "repeats.jsonl");
  await fileSystem.makeDirectory(dir);
  const epochs = new Map<string, number>();
  let through = 0;
  let marks = 0;
  const file = await CheckedLines.open({
    path,
    fileSystem,
    made,
    begin() {
      epochs.clear();
      through = 0;
      marks = 0;
      return (body) => {
        const line = parseRepeatsLine(body);
        ({ through } = line);
        for (const [source, epoch] of Object.entries(line.lives)) epochs.set(source, epoch);
        for (const mark of marksOf(line)) {
          marks += 1;
          onMark(mark);
        }
      };
    },
    upgrade: () => null,
    loss: () => "ids of events",
    advice: "What is sent again under one of those ids is routed again; no event is lost",
    warn,
  });

  const write = (added: readonly string[], upTo: number, begun: Line["lives"]): Promise<void> =>
    file.inTurn(async () => {
      const next = Math.max(upTo, through);
      const after = { ...Object.fromEntries(epochs), ...begun };
      await file.append([...linesOf(added, next, after)], { durable: true });
      through = next;
      for (const [source, epoch] of Object.entries(begun)) epochs.set(source, epoch);
      marks += added.length;
    });

  return {
    get marks() {
      return marks;
    },
    get through() {
      return through;
    },
    epochs,
    append: (added, upTo) => write(added, upTo, {}),
    beginEpoch: (source) => write([], through, { [source]: (epochs.get(source) ?? 0) + 1 }),
    rewrite: (wanted) =>
      file.inTurn(async () => {
        const written = { count: 0 };
        await file.rewrite(linesOf(counted(wanted, written), through, Object.fromEntries(epochs)));
        marks = written.count;
      }),
    close: () => file.inTurn(() => file.close()),
  };
}

function* marksOf({ marks }: Line): Generator<string> {
  for (let at = 0; at < marks.length; at += MARK_LENGTH) yield marks.slice(at, at + MARK_LENGTH);
}

function* counted(marks: Iterable<string>, written: { count: number }): Generator<string> {
  for (const mark of marks) {
    written.count += 1;
    yield mark;
  }
}

function* linesOf(
  marks: Iterable<string>,
  through: number,
  lives: Line["lives"],
): Generator<string> {
  const lineOf = (text: string) => JSON.stringify({ through, lives, marks: text });
  let waiting: string[] = [];
  for (const mark of marks) {
    waiting.push(mark);
    if (waiting.length < MARKS_A_LINE) continue;
    yield lineOf(waiting.join(""));
    waiting = [];
  }
  yield lineOf(waiting.join(""));
}
