import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import {
  encodeCheckedJson,
  type FileSystem,
  nodeFileSystem,
  parseCheckedJson,
  readWhole,
  replaceFile,
} from "@orgloop/files";
import { type CheckpointStore, hasCode, messageOf, OrgLoopError } from "@orgloop/sdk";

export interface FileCheckpointsOptions {
  /** Made where missing. */
  readonly dir: string;
  readonly fileSystem?: FileSystem;
  /** For `updated_at`; default: the system's clock. */
  readonly now?: () => number;
}

/**
 * One JSON file a source, `{"checksum", "checkpoint", "updated_at"}` as v1alpha1 (section 11) has
 * it but for the checksum, replaced atomically and durably. Where a file is there and cannot be
 * understood, `get` throws `CHECKPOINT_UNREADABLE`: read as null it would silently repeat or skip
 * events.
 */
export function fileCheckpoints({
  dir,
  fileSystem = nodeFileSystem,
  now = Date.now,
}: FileCheckpointsOptions): CheckpointStore {
  /** The last write of each file: later ones wait for it, so that the last call wins. */
  const writing = new Map<string, Promise<void>>();
  let synced: Promise<void> | undefined;

  async function write(path: string, checkpoint: string): Promise<void> {
    const contents = { checkpoint, updated_at: new Date(now()).toISOString() };
    await fileSystem.makeDirectory(dirname(path));
    await replaceFile(path, encodeCheckedJson(contents), fileSystem);
  }

  /** Changes a file when those who were before have changed it. */
  async function inTurn(path: string, change: () => Promise<void>): Promise<void> {
    const before = writing.get(path) ?? Promise.resolve();
    const written = before.then(change);
    const ended = written.catch(() => undefined);
    writing.set(path, ended);
    await written.finally(() => {
      if (writing.get(path) === ended) writing.delete(path);
    });
  }

  return {
    async get(sourceId) {
      const path = join(dir, checkpointFileName(sourceId));
      await writing.get(path);
      // A replacement whose name was not synced when the process died.
      synced ??= fileSystem.syncDirectory(dir).catch((error) => {
        synced = undefined;
        if (!hasCode(error, "ENOENT")) throw error;
      });
      await synced;
      try {
        return parseCheckpoint(await readWhole(path, fileSystem));
      } catch (error) {
        if (hasCode(error, "ENOENT")) return null;
        throw unreadable(sourceId, path, error);
      }
    },
    set(sourceId, checkpoint) {
      const path = join(dir, checkpointFileName(sourceId));
      return inTurn(path, () => write(path, checkpoint));
    },
    delete(sourceId) {
      const path = join(dir, checkpointFileName(sourceId));
      return inTurn(path, () => remove(path, fileSystem));
    },
  };
}

async function remove(path: string, fileSystem: FileSystem): Promise<void> {
  try {
    await fileSystem.remove(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  await fileSystem.syncDirectory(dirname(path));
}

/** Bytes of a name that most file systems take, less `.json` and what a replacement appends. */
const MAX_NAME = 180;

/**
 * The source's id with everything but letters, digits and `._-` percent-encoded (`/` is `%2F`);
 * long ones end in a hash.
 */
export function checkpointFileName(sourceId: string): string {
  const name = encodeURIComponent(sourceId).replace(
    /[!'()*~]/g,
    (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  if (name.length <= MAX_NAME) return `${name}.json`;
  const hash = createHash("sha256").update(sourceId).digest("hex").slice(0, 16);
  return `${name.slice(0, MAX_NAME - 20)}~${hash}.json`;
}

/** The checkpoint in the text of a file. Throws where it cannot be understood. */
export function parseCheckpoint(text: string): string {
  const { checkpoint } = ofEarlierRelease(text) ?? parseCheckedJson(text);
  if (typeof checkpoint === "string") return checkpoint;
  throw new OrgLoopError("INVALID_CHECKPOINT", 'expected an object with the text "checkpoint"');
}

/** The release before wrote these two keys alone; null for anything else. */
function ofEarlierRelease(text: string): Readonly<Record<string, unknown>> | null {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) return null;
  return Object.keys(value).join() === "checkpoint,updated_at" ? { ...value } : null;
}

function unreadable(sourceId: string, path: string, cause: unknown): OrgLoopError {
  return new OrgLoopError(
    "CHECKPOINT_UNREADABLE",
    `the checkpoint of ${sourceId} in ${path} cannot be read (${messageOf(cause)}): restore the file, or delete it to let the source begin anew, which may repeat events`,
    { cause },
  );
}
