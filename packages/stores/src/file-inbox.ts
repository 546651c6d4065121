import { join } from "node:path";
import {
  CheckedLines,
  type FileSystem,
  groupCommit,
  type MadeFiles,
  nodeFileSystem,
  type Place,
} from "@orgloop/files";
import { type InboxEntry, type InboxStore, messageOf } from "@orgloop/sdk";
import { type InboxDeadline, InboxIndex } from "./inbox-index.ts";
import {
  entryBody,
  type InboxLine,
  lostEntries,
  parseEntry,
  parseInboxLine,
  upgradeInboxLine,
} from "./inbox-line.ts";

export interface FileInboxOptions {
  /** Made where missing; holds `inbox.jsonl`. */
  readonly dir: string;
  readonly fileSystem?: FileSystem;
  /** Where it is kept that the file was made. */
  readonly made?: MadeFiles | undefined;
  /**
   * When an entry expires, on the clock that {@link InboxStore.expired} is asked by. Default: as it
   * says itself.
   */
  readonly deadlineOf?: InboxDeadline | undefined;
  /** Told of damage that was found and worked around. */
  readonly warn?: (message: string) => void;
}

interface Change {
  readonly line: InboxLine;
  readonly body: string;
  /** Of an entry: whether it was there before. */
  isNew?: boolean;
}

/**
 * The file is rewritten when this much of it, and more than half, is of entries that were removed.
 */
const MIN_COMPACTION_BYTES = 64 * 1024;
/** A list is cut here. */
const MAX_LIST_BYTES = 16 * 1024 ** 2;

const ADVICE =
  "`orgloop replay --event ID` routes an event anew as long as it is recorded; a copy of the file can be put back while nothing runs";

/** How lines of an earlier release are read, and what is said of those that cannot be. */
const FORMAT = { upgrade: upgradeInboxLine, loss: lostEntries, advice: ADVICE };

/** Where the entries of a file stand, and how many bytes they have. */
class Inboxes {
  readonly index: InboxIndex<Place>;
  bytes = 0;

  constructor(deadlineOf: InboxDeadline | undefined) {
    this.index = new InboxIndex(deadlineOf);
  }

  /** True where `line` is an entry that was not there. */
  apply(line: InboxLine, place: Place): boolean {
    if ("put" in line) {
      const before = this.index.put(line.put, place);
      this.bytes += place.length - (before?.length ?? 0);
      return before === undefined;
    }
    if ("removed" in line) {
      for (const { length } of this.index.remove(line.session, line.removed)) this.bytes -= length;
    } else {
      this.index.setNotified(line.session, line.notified);
    }
    return false;
  }
}

/**
 * Inboxes in a file of checksummed lines (`CheckedLines`). A change resolves after fdatasync; those
 * that wait share one. Memory holds where each entry stands, not the events. Nobody else may write
 * the file meanwhile (`lockDirectory`).
 */
export async function fileInbox(
  options: FileInboxOptions,
): Promise<InboxStore & { close(): Promise<void> }> {
  const { dir, fileSystem = nodeFileSystem, made, deadlineOf, warn = () => {} } = options;
  const path = join(dir, "inbox.jsonl");
  await fileSystem.makeDirectory(dir);
  let inboxes = new Inboxes(deadlineOf);
  let compactAt = MIN_COMPACTION_BYTES;
  const file = await CheckedLines.open({
    path,
    fileSystem,
    made,
    begin() {
      inboxes = new Inboxes(deadlineOf);
      return (body, place) => inboxes.apply(parseInboxLine(body), place);
    },
    ...FORMAT,
    warn,
  });

  /** Writes first; what memory knows changes when that is durable. */
  async function commit(changes: readonly Change[]): Promise<void> {
    const bodies = changes.map(({ body }) => body);
    const places = await file.append(bodies, { durable: true });
    for (const [at, change] of changes.entries()) {
      change.isNew = inboxes.apply(change.line, places[at] as Place);
    }
    const unused = file.size - inboxes.bytes;
    if (unused <= Math.max(inboxes.bytes, compactAt)) return;
    try {
      inboxes = await compacted(file, inboxes);
      compactAt = MIN_COMPACTION_BYTES;
    } catch (error) {
      compactAt = unused + MIN_COMPACTION_BYTES;
      warn(`${path} was not compacted: ${messageOf(error)}`);
    }
  }

  const write = groupCommit<Change>((task) => file.inTurn(task), commit);
  return {
    async put(entry) {
      const change: Change = { line: { put: entry }, body: entryBody(entry) };
      await write(change);
      return change.isNew === true;
    },
    async remove(session, removed) {
      if (removed.length > 0) await write(changeOf({ session, removed }));
    },
    setNotified: (session, notified) => write(changeOf({ session, notified })),
    list: (sessionKey, limit) =>
      file.inTurn(() => readFirst(file, inboxes.index.of(sessionKey).take(limit))),
    sessions: async () => inboxes.index.sessions(),
    expired: (nowMs, limit) =>
      file.inTurn(() => readFirst(file, inboxes.index.expired(nowMs, limit))),
    close: () => file.inTurn(() => file.close()),
  };
}

const changeOf = (line: InboxLine): Change => ({ line, body: JSON.stringify(line) });

/** The first of the entries, as many as a list may have. */
async function readFirst(
  file: CheckedLines,
  places: Iterable<Place>,
): Promise<readonly InboxEntry[]> {
  const entries: InboxEntry[] = [];
  for await (const body of file.read(upTo(MAX_LIST_BYTES, places))) entries.push(parseEntry(body));
  return entries;
}

/** Rewrites the file with what waits, and which sessions were told. */
async function compacted(file: CheckedLines, { index }: Inboxes): Promise<Inboxes> {
  const kept = [...index.all()].sort((a, b) => a.offset - b.offset);
  const lines: InboxLine[] = [];
  const bodies = async function* () {
    for await (const body of file.read(kept)) {
      lines.push(parseInboxLine(body));
      yield body;
    }
    for (const { session_key: session, notified } of index.sessions()) {
      if (!notified) continue;
      lines.push({ session, notified });
      yield JSON.stringify({ session, notified });
    }
  };
  const places = await file.rewrite(bodies());
  const inboxes = new Inboxes((entry) => index.deadlineOf(entry));
  for (const [at, line] of lines.entries()) inboxes.apply(line, places[at] as Place);
  return inboxes;
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
