import { join } from "node:path";
import { type FileSystem, groupCommit, LinesFile, nodeFileSystem } from "@orgloop/files";
import { type DeadLetter, type DeadLetterStore, messageOf } from "@orgloop/sdk";
import { DeadLetterIndex } from "./dead-letter-index.ts";

export interface FileDeadLettersOptions {
  /** Made where missing; holds `dead-letters.jsonl`. */
  readonly dir: string;
  readonly fileSystem?: FileSystem;
  /** Told of damage that was found and worked around. */
  readonly warn?: (message: string) => void;
}

type Change = { readonly put: DeadLetter } | { readonly remove: readonly string[] };

/** The file is rewritten when this much of it, and more than half, is of letters that were removed. */
const MIN_COMPACTION_BYTES = 64 * 1024;

/**
 * Dead letters in one JSONL file: a line a letter, `{"removed": [ids]}` where some were removed. A change resolves after fdatasync;
 * those that wait share one. Memory holds where each letter stands, not the letters. A torn tail is cut at open; a whole line
 * that is no dead letter is reported and left in the file. Nobody else may write the file meanwhile (`lockDirectory`).
 */
export async function fileDeadLetters({
  dir,
  fileSystem = nodeFileSystem,
  warn = () => {},
}: FileDeadLettersOptions): Promise<DeadLetterStore & { close(): Promise<void> }> {
  const path = join(dir, "dead-letters.jsonl");
  await fileSystem.makeDirectory(dir);
  const index = new DeadLetterIndex();
  const file = await LinesFile.open(path, fileSystem, (line, place) => index.load(line, place));
  if (index.damaged > 0) warn(`${path}: ${index.damaged} lines are no dead letters: left alone`);

  /** Writes first; what memory knows changes when that is durable. */
  async function commit(changes: readonly Change[]): Promise<void> {
    const { lines, apply } = prepare(changes, index, file.size);
    if (lines === "") return;
    await file.append(lines, { durable: true });
    apply();
    if (file.size - index.bytes > Math.max(index.bytes, MIN_COMPACTION_BYTES)) {
      await compact().catch((error) => warn(`${path} was not compacted: ${messageOf(error)}`));
    }
  }

  async function compact(): Promise<void> {
    const kept = index.kept();
    await file.rewrite(file.read(kept));
    index.closeGaps(kept);
  }

  const change = groupCommit<Change>((task) => file.inTurn(task), commit);
  return {
    put: (letter) => change({ put: letter }),
    remove: (ids) => change({ remove: ids }),
    list: () =>
      file.inTurn(async () => {
        const letters: DeadLetter[] = [];
        for await (const line of file.read(index.places())) {
          letters.push(JSON.parse(line.toString("utf8")));
        }
        return letters;
      }),
    get: (id) =>
      file.inTurn(async () => {
        const place = index.place(id);
        if (place === undefined) return null;
        for await (const line of file.read([place])) return JSON.parse(line.toString("utf8"));
        return null;
      }),
    get size() {
      return index.size;
    },
    close: () => file.inTurn(() => file.close()),
  };
}

/** The lines of changes that change something, and what puts them into the index. */
function prepare(changes: readonly Change[], index: DeadLetterIndex, size: number) {
  const lines: string[] = [];
  const steps: (() => void)[] = [];
  /** What the changes before in this group have made of an id. */
  const known = new Map<string, boolean>();
  const isKnown = (id: string) => known.get(id) ?? index.has(id);
  let end = size;
  const add = (value: unknown) => {
    const line = `${JSON.stringify(value)}\n`;
    const place = { offset: end, length: Buffer.byteLength(line) };
    lines.push(line);
    end += place.length;
    return place;
  };
  for (const change of changes) {
    if ("put" in change) {
      const { id } = change.put;
      const place = add(change.put);
      known.set(id, true);
      steps.push(() => index.put(id, place));
    } else {
      const removed = [...new Set(change.remove)].filter(isKnown);
      if (removed.length === 0) continue;
      add({ removed });
      for (const id of removed) known.set(id, false);
      steps.push(() => index.remove(removed));
    }
  }
  const apply = () => {
    for (const step of steps) step();
  };
  return { lines: lines.join(""), apply };
}
