import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { hasCode, OrgLoopError } from "@orgloop/sdk";
import { type DirectoryLock, lockDirectory, replaceFile } from "@orgloop/stores";

/** A data directory that this process holds. */
export interface DataDir {
  readonly wal: string;
  readonly checkpoints: string;
  readonly deadLetters: string;
  readonly claims: string;
  readonly inbox: string;
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
 * Takes a data directory for a project: makes it, locks it, and writes whose it is in `owner.json`. Throws `LOCKED` (names the
 * holder) and `DATA_DIR_OWNED` (names the other project).
 */
export async function claimDataDir(dir: string, project: string): Promise<DataDir> {
  const lock = await lockDirectory(dir, { purpose: project });
  try {
    await claim(dir, project);
  } catch (error) {
    await lock.release();
    throw error;
  }
  return dataDir(dir, lock);
}

async function claim(dir: string, project: string): Promise<void> {
  if ((await requireOwner(dir, project)) === project) return;
  await replaceFile(join(dir, "owner.json"), `${JSON.stringify({ project })}\n`);
}

/** The project that a data directory belongs to: `project`, or null where there is none yet. Throws `DATA_DIR_OWNED`. */
export async function requireOwner(dir: string, project: string): Promise<string | null> {
  const owner = await readOwner(join(dir, "owner.json"));
  if (owner === null || owner === project) return owner;
  throw new OrgLoopError(
    "DATA_DIR_OWNED",
    `${dir} belongs to the project "${owner}", this one is "${project}": choose another data directory`,
  );
}

/** The project that a data directory belongs to; null where there is none yet. */
async function readOwner(file: string): Promise<string | null> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
  try {
    return String(JSON.parse(text).project);
  } catch (cause) {
    throw new OrgLoopError(
      "DATA_DIR_OWNED",
      `${file} does not say whose the data are: mend it, or remove it where they are this project's`,
      { cause },
    );
  }
}

function dataDir(dir: string, lock: DirectoryLock): DataDir {
  return {
    wal: join(dir, "wal"),
    checkpoints: join(dir, "checkpoints"),
    deadLetters: join(dir, "dead-letters"),
    claims: join(dir, "claims"),
    inbox: join(dir, "inbox"),
    log: join(dir, "log"),
    events: join(dir, "events"),
    routeStates: join(dir, "route-state.json"),
    starts: join(dir, "attempt-starts.jsonl"),
    release: () => lock.release(),
  };
}
