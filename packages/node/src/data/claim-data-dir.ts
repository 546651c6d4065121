import { join } from "node:path";
import {
  type DirectoryLock,
  type FileSystem,
  type MadeFiles,
  nodeFileSystem,
  readWhole,
  removeTemporaries,
  replaceFile,
} from "@orgloop/files";
import { hasCode, OrgLoopError } from "@orgloop/sdk";
import { claimFormat } from "./data-format.ts";
import { type Disk, nodeDisk } from "./disk.ts";

/** A data directory that this process holds. */
export interface DataDir {
  readonly dir: string;
  /** All of it goes through this. */
  readonly disk: Disk;
  readonly made: MadeFiles;
  readonly wal: string;
  readonly checkpoints: string;
  readonly deadLetters: string;
  readonly claims: string;
  readonly inbox: string;
  /** By what repeats are known. */
  readonly repeats: string;
  readonly log: string;
  /** Breakers and rates. */
  readonly routeStates: string;
  /** What was worked on when the process died. */
  readonly starts: string;
  /** What was routed. */
  readonly events: string;
  release(): Promise<void>;
}

/**
 * Whose a data directory is. A project is its name: its directory may move, or be another with each
 * release.
 */
interface Owner {
  readonly project: string;
  /** From which it ran last; null: an earlier version did not say. */
  readonly directory: string | null;
}

/**
 * Takes a data directory for a project: makes it, locks it, and writes whose it is in `owner.json`.
 * Throws `LOCKED` (names the holder), `DATA_DIR_OWNED` (names the other project) and `DATA_FORMAT`
 * (a newer release wrote it).
 */
export async function claimDataDir(
  dir: string,
  project: string,
  directory: string,
  disk: Disk = nodeDisk,
): Promise<DataDir> {
  const lock = await disk.lock(dir, project);
  try {
    const made = await claim(dir, { project, directory }, disk.fileSystem);
    return dataDir(dir, disk, made, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Folders in which files are replaced; the log sees to its own. */
const REPLACED_IN = ["", "checkpoints", "claims", "dead-letters", "inbox", "repeats"];

async function claim(dir: string, owner: Owner, fileSystem: FileSystem): Promise<MadeFiles> {
  // A replacement whose name was not synced when the process before died counts from here on.
  await fileSystem.syncDirectory(dir);
  const before = await requireOwner(dir, owner.project, fileSystem);
  const made = await claimFormat(dir, fileSystem);
  for (const name of REPLACED_IN) await removeTemporaries(join(dir, name), fileSystem);
  if (before?.directory !== owner.directory) {
    await replaceFile(join(dir, "owner.json"), `${JSON.stringify(owner)}\n`, fileSystem);
  }
  return made;
}

/**
 * Whose a data directory is: `project`'s, or null where it is nobody's yet. Throws
 * `DATA_DIR_OWNED`.
 */
export async function requireOwner(
  dir: string,
  project: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Owner | null> {
  const owner = await readOwner(join(dir, "owner.json"), fileSystem);
  if (owner === null || owner.project === project) return owner;
  throw new OrgLoopError(
    "DATA_DIR_OWNED",
    `${dir} belongs to the project "${owner.project}", this one is "${project}": choose another data directory`,
  );
}

async function readOwner(file: string, fileSystem: FileSystem): Promise<Owner | null> {
  let text: string;
  try {
    text = await readWhole(file, fileSystem);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
  try {
    const { project, directory } = JSON.parse(text);
    return {
      project: String(project),
      directory: typeof directory === "string" ? directory : null,
    };
  } catch (cause) {
    throw new OrgLoopError(
      "DATA_DIR_OWNED",
      `${file} does not say whose the data are: mend it, or remove it where they are this project's`,
      { cause },
    );
  }
}

function dataDir(dir: string, disk: Disk, made: MadeFiles, lock: DirectoryLock): DataDir {
  return {
    dir,
    disk,
    made,
    wal: join(dir, "wal"),
    checkpoints: join(dir, "checkpoints"),
    deadLetters: join(dir, "dead-letters"),
    claims: join(dir, "claims"),
    inbox: join(dir, "inbox"),
    repeats: join(dir, "repeats"),
    log: join(dir, "log"),
    events: join(dir, "events"),
    routeStates: join(dir, "route-state.jsonl"),
    starts: join(dir, "attempt-starts.jsonl"),
    release: () => lock.release(),
  };
}
