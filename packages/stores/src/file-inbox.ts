import { join } from "node:path";
import {
  type FileSystem,
  groupCommit,
  LinesFile,
  nodeFileSystem,
  type Place,
} from "@orgloop/files";
import { type InboxEntry, type InboxStore, messageOf } from "@orgloop/sdk";
import { InboxIndex } from "./inbox-index.ts";

export interface FileInboxOptions {
  /** Made where missing; holds `inbox.jsonl`. */
  readonly dir: string;
  readonly fileSystem?: FileSystem;
  /** Told of damage that was found and worked around. */
  readonly warn?: (message: string) => void;
}

/** A line of the file: an entry, or one of these. */
interface Removal {
  readonly session: string;
  readonly removed: readonly string[];
}
interface Notice {
  readonly session: string;
  readonly notified: boolean;
}
type Line = InboxEntry | Removal | Notice;

interface Change {
  readonly line: Line;
  /** Of an entry: whether it was there before. */
  isNew?: boolean;
}

/** The file is rewritten when this much of it, and more than half, is of entries that were removed. */
const MIN_COMPACTION_BYTES = 64 * 1024;
/** A list is cut here. */
const MAX_LIST_BYTES = 16 * 1024 ** 2;

/**
 * Inboxes in one JSONL file. A change resolves after fdatasync; those that wait share one. Memory holds where each entry stands, not the
 * events. A torn tail is cut at open; a whole line that is none of ours is reported and left out. Nobody else may write the file
 * meanwhile (`lockDirectory`).
 */
export async function fileInbox({
  dir,
  fileSystem = nodeFileSystem,
  warn = () => {},
}: FileInboxOptions): Promise<InboxStore & { close(): Promise<void> }> {
  const path = join(dir, "inbox.jsonl");
  await fileSystem.makeDirectory(dir);
  const index = new InboxIndex<Place>();
  /** Of the entries that wait. */
  let bytes = 0;
  let damaged = 0;
  const file = await LinesFile.open(path, fileSystem, (text, place) => {
    const line = parse(text);
    if (line === undefined) damaged += 1;
    else apply(line, place);
  });
  if (damaged > 0) warn(`${path}: ${damaged} lines are no inbox entries: left out`);

  function apply(line: Line, place: Place, change?: Change): void {
    if ("event" in line) {
      const before = index.put(line, place);
      if (change !== undefined) change.isNew = before === undefined;
      bytes += place.length - (before?.length ?? 0);
    } else if ("removed" in line) {
      for (const { length } of index.remove(line.session, line.removed)) bytes -= length;
    } else {
      index.setNotified(line.session, line.notified);
    }
  }

  /** Writes first; what memory knows changes when that is durable. */
  async function commit(changes: readonly Change[]): Promise<void> {
    let offset = file.size;
    const texts = changes.map(({ line }) => `${JSON.stringify(line)}\n`);
    await file.append(texts.join(""), { durable: true });
    for (const [at, change] of changes.entries()) {
      const length = Buffer.byteLength(texts[at] as string);
      apply(change.line, { offset, length }, change);
      offset += length;
    }
    if (file.size - bytes > Math.max(bytes, MIN_COMPACTION_BYTES)) {
      await compact().catch((error) => warn(`${path} was not compacted: ${messageOf(error)}`));
    }
  }

  async function compact(): Promise<void> {
    const kept = [...index.all()].sort((a, b) => a.offset - b.offset);
    const entries: { entry: InboxEntry; length: number }[] = [];
    const notices = index.sessions().filter(({ notified }) => notified);
    await file.rewrite(
      (async function* () {
        for await (const bytesOfLine of file.read(kept)) {
          const { id, session_key, expires_at } = JSON.parse(bytesOfLine.toString("utf8"));
          const entry = { id, session_key, expires_at } as InboxEntry;
          entries.push({ entry, length: bytesOfLine.length });
          yield bytesOfLine;
        }
        for (const { session_key: session } of notices) {
          yield Buffer.from(`${JSON.stringify({ session, notified: true } satisfies Notice)}\n`);
        }
      })(),
    );
    let offset = 0;
    for (const { entry, length } of entries) {
      index.put(entry, { offset, length });
      offset += length;
    }
  }

  async function read(places: readonly Place[]): Promise<readonly InboxEntry[]> {
    const entries: InboxEntry[] = [];
    for await (const line of file.read(places)) entries.push(JSON.parse(line.toString("utf8")));
    return entries;
  }

  const commitInTurn = groupCommit<Change>((task) => file.inTurn(task), commit);
  const write = (line: Line): Promise<void> => commitInTurn({ line });
  return {
    async put(entry) {
      const change: Change = { line: entry };
      await commitInTurn(change);
      return change.isNew === true;
    },
    remove: (session, removed) =>
      removed.length === 0 ? Promise.resolve() : write({ session, removed }),
    setNotified: (session, notified) => write({ session, notified }),
    list: (sessionKey, limit) =>
      file.inTurn(() => read(upTo(MAX_LIST_BYTES, index.of(sessionKey).take(limit)))),
    sessions: async () => index.sessions(),
    expired: (nowMs, limit) =>
      file.inTurn(() => read(upTo(MAX_LIST_BYTES, index.expired(nowMs, limit)))),
    close: () => file.inTurn(() => file.close()),
  };
}

/** The first of the places that have no more bytes together, one at least. */
function upTo(most: number, places: Iterable<Place>): Place[] {
  const taken: Place[] = [];
  let bytes = 0;
  for (const place of places) {
    bytes += place.length;
    if (bytes > most && taken.length > 0) break;
    taken.push(place);
  }
  return taken;
}

function parse(text: string): Line | undefined {
  let line: Partial<InboxEntry & Removal & Notice> | null;
  try {
    line = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof line !== "object" || line === null) return undefined;
  const isEntry =
    typeof line.id === "string" &&
    typeof line.session_key === "string" &&
    !Number.isNaN(Date.parse(String(line.expires_at))) &&
    typeof line.event === "object";
  const isChange =
    typeof line.session === "string" &&
    (Array.isArray(line.removed) || typeof line.notified === "boolean");
  return isEntry || isChange ? (line as Line) : undefined;
}
