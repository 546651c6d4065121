import { existsSync } from "node:fs";
import { join } from "node:path";
import { type DeadLetterFilter, selectLetters } from "@orgloop/core";
import type { DeadLetter, DeadLetterStore } from "@orgloop/sdk";

/** The dead letters of a data directory on which no process runs. Throws `LOCKED` where one does. */
export async function readStoredLetters(
  dataDir: string,
  filter: DeadLetterFilter,
): Promise<readonly DeadLetter[]> {
  return withLetters(dataDir, [], async (letters) => selectLetters(await letters.list(), filter));
}

/** Deletes letters there; resolves with how many. Throws `LOCKED` where a process runs. */
export async function purgeStoredLetters(
  dataDir: string,
  filter: DeadLetterFilter,
): Promise<number> {
  return withLetters(dataDir, 0, async (letters) => {
    const ids = selectLetters(await letters.list(), filter).map(({ id }) => id);
    await letters.remove(ids);
    return ids.length;
  });
}

type Letters = DeadLetterStore;

/** `none` where nothing was ever kept: asking makes no directories. */
async function withLetters<T>(
  dataDir: string,
  none: T,
  task: (letters: Letters) => Promise<T>,
): Promise<T> {
  const dir = join(dataDir, "dead-letters");
  if (!existsSync(dir)) return none;
  const { lockDirectory } = await import("@orgloop/files");
  const { fileDeadLetters } = await import("@orgloop/stores");
  const lock = await lockDirectory(dataDir, { purpose: "dead letters" });
  try {
    const letters = await fileDeadLetters({ dir });
    try {
      return await task(letters);
    } finally {
      await letters.close?.();
    }
  } finally {
    await lock.release();
  }
}
