import { join } from "node:path";
import { type FileSystem, writeFully } from "@orgloop/files";
import { messageOf } from "@orgloop/sdk";

/** Whether the bus takes what is written to it: a full disk comes and goes. */
export interface BusWrites {
  /** Hands `write` on, and remembers how it ends. */
  note(write: Promise<void>): Promise<void>;
  /**
   * Why the last write was refused; null where none was, or so long ago that whoever asks may let
   * another be tried.
   */
  refusal(): string | null;
  /**
   * Resolves when it was looked whether a disk that was full has room again, now or less than a
   * second ago. Never rejects.
   */
  look(): Promise<void>;
}

interface BusWritesOptions {
  readonly now: () => number;
  /**
   * Why the disk does not take what waits for it and is tried again by the bus itself; null where
   * nothing waits.
   */
  readonly waiting?: () => Error | null;
  /** Looks whether the bus's disk has room. */
  readonly hasRoom: () => Promise<boolean>;
}

/**
 * Where nothing waits to be written, only a new event shows that the bus takes them again, whatever
 * was wrong.
 */
const TRY_AGAIN_MS = 30_000;
const LOOK_AGAIN_MS = 1_000;

export function busWrites({ now, waiting = () => null, hasRoom }: BusWritesOptions): BusWrites {
  let refused: { readonly atMs: number; readonly error: unknown } | null = null;
  let lookedMs = Number.NEGATIVE_INFINITY;
  let looking = Promise.resolve();

  async function look(): Promise<void> {
    const before = refused;
    if (!(await hasRoom().catch(() => false))) return;
    // A write that was refused meanwhile knows better.
    if (refused === before) refused = null;
  }

  return {
    async note(write) {
      try {
        await write;
        refused = null;
      } catch (error) {
        refused = { atMs: now(), error };
        throw error;
      }
    },
    refusal() {
      const error = waiting();
      if (error !== null) return reasonOf(error);
      if (refused === null || now() - refused.atMs >= TRY_AGAIN_MS) return null;
      return reasonOf(refused.error);
    },
    look() {
      if (refused !== null && isDiskFull(refused.error) && now() - lookedMs >= LOOK_AGAIN_MS) {
        lookedMs = now();
        looking = look();
      }
      return looking;
    },
  };
}

function reasonOf(error: unknown): string {
  const why = `the bus takes no events: ${messageOf(error)}`;
  if (!isDiskFull(error)) return why;
  return `${why}. Free some space: it goes on by itself, and what was acknowledged is safe`;
}

/**
 * True where `error`, or what caused it, says that nothing more can be written: the disk or the
 * quota is full.
 */
export function isDiskFull(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    if ("code" in at && (at.code === "ENOSPC" || at.code === "EDQUOT")) return true;
  }
  return false;
}

/** As much as a usual event needs many times over; a kill leaves it for `removeTemporaries`. */
const ROOM = Buffer.alloc(65_536);

/** True where something can be written to a directory, which must be held (`lockDirectory`). */
export async function hasRoom(dir: string, fileSystem: FileSystem): Promise<boolean> {
  const path = join(dir, `room.${process.pid}-0.tmp`);
  try {
    const file = await fileSystem.open(path, "replace");
    try {
      await writeFully(file, ROOM, 0);
      await file.sync();
      return true;
    } finally {
      await file.close();
    }
  } catch {
    return false;
  } finally {
    await fileSystem.remove(path).catch(() => undefined);
  }
}
