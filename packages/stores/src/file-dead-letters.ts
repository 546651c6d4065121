import { join } from "node:path";
import {
  CheckedLines,
  type FileSystem,
  groupCommit,
  type MadeFiles,
  nodeFileSystem,
  type Place,
} from "@orgloop/files";
import { type DeadLetter, type DeadLetterStore, messageOf } from "@orgloop/sdk";
import { DeadLetterIndex } from "./dead-letter-index.ts";
import {
  letterBody,
  lostLetters,
  parseLetter,
  parseLetterLine,
  removalBody,
  upgradeLetterLine,
} from "./dead-letter-line.ts";

export interface FileDeadLettersOptions {
  /** Made where missing; holds `dead-letters.jsonl`. */
  readonly dir: string;
  readonly fileSystem?: FileSystem;
  /** Where it is kept that the file was made. */
  readonly made?: MadeFiles | undefined;
  /** Told of damage that was found and worked around. */
  readonly warn?: (message: string) => void;
}

type Change = { readonly put: DeadLetter } | { readonly remove: readonly string[] };

/**
 * The file is rewritten when this much of it, and more than half, is of letters that were removed.
 */
const MIN_COMPACTION_BYTES = 64 * 1024;

const ADVICE =
  "`orgloop replay --event ID` routes an event anew as long as it is recorded; a copy of the file can be put back while nothing runs";

/**
 * Dead letters in a file of checksummed lines (`CheckedLines`): a line a letter, and one where some
 * were removed. A change resolves after fdatasync; those that wait share one. Memory holds what a
 * list shows of each letter and where it stands, at most about a kilobyte; the letters are read
 * when they are asked for. Nobody else may write the file meanwhile (`lockDirectory`).
 */
export async function fileDeadLetters({
  dir,
  fileSystem = nodeFileSystem,
  made,
  warn = () => {},
}: FileDeadLettersOptions): Promise<DeadLetterStore & { close(): Promise<void> }> {
  const path = join(dir, "dead-letters.jsonl");
  await fileSystem.makeDirectory(dir);
  let index = new DeadLetterIndex();
  const file = await CheckedLines.open({
    path,
    fileSystem,
    made,
    begin() {
      index = new DeadLetterIndex();
      return (body, place) => load(index, body, place);
    },
    upgrade: upgradeLetterLine,
    loss: lostLetters,
    advice: ADVICE,
    warn,
  });
  let compactAt = MIN_COMPACTION_BYTES;

  /** Writes first; what memory knows changes when that is durable. */
  async function commit(changes: readonly Change[]): Promise<void> {
    const { bodies, apply } = prepare(changes, index);
    apply(await file.append(bodies, { durable: true }));
    const unused = file.size - index.bytes;
    if (unused <= Math.max(index.bytes, compactAt)) return;
    try {
      index.moved(await file.rewrite(file.read(index.kept())));
      compactAt = MIN_COMPACTION_BYTES;
    } catch (error) {
      compactAt = unused + MIN_COMPACTION_BYTES;
      warn(`${path} was not compacted: ${messageOf(error)}`);
    }
  }

  const change = groupCommit<Change>((task) => file.inTurn(task), commit);
  return {
    put: (letter) => change({ put: letter }),
    remove: (ids) => change({ remove: ids }),
    async *list(after = 0) {
      yield* index.after(after);
    },
    get: (id) =>
      file.inTurn(async () => {
        const place = index.place(id);
        if (place === undefined) return null;
        for await (const body of file.read([place])) return parseLetter(body);
        return null;
      }),
    get size() {
      return index.size;
    },
    close: () => file.inTurn(() => file.close()),
  };
}

function load(index: DeadLetterIndex, body: Buffer, place: Place): void {
  const line = parseLetterLine(body);
  if ("put" in line) index.put(line.put, place);
  else index.remove(line.removed);
}

/** The lines of changes that change something, and what puts them into the index. */
function prepare(changes: readonly Change[], index: DeadLetterIndex) {
  const bodies: string[] = [];
  const steps: ((place: Place) => void)[] = [];
  /** What the changes before in this group have made of an id. */
  const known = new Map<string, boolean>();
  for (const change of changes) {
    if ("put" in change) {
      const { put } = change;
      bodies.push(letterBody(put));
      known.set(put.id, true);
      steps.push((place) => index.put(put, place));
      continue;
    }
    const removed = [...new Set(change.remove)].filter((id) => known.get(id) ?? index.has(id));
    if (removed.length === 0) continue;
    bodies.push(removalBody(removed));
    for (const id of removed) known.set(id, false);
    steps.push(() => index.remove(removed));
  }
  const apply = (places: readonly Place[]): void => {
    for (const [at, step] of steps.entries()) step(places[at] as Place);
  };
  return { bodies, apply };
}
