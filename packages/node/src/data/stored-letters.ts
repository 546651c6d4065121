import { existsSync } from "node:fs";
import { join } from "node:path";
import { type DeadLetterFilter, letterSelection } from "@orgloop/engine";
import {
  type DeadLetter,
  type DeadLetterStore,
  type DeadLetterSummary,
  summaryOf,
} from "@orgloop/sdk";

/**
 * The dead letters of a data directory on which no process runs, as they are listed. Throws
 * `LOCKED` where one does.
 */
export async function* readStoredLetters(
  dataDir: string,
  filter: DeadLetterFilter,
  warn: (message: string) => void,
): AsyncGenerator<DeadLetterSummary> {
  await using opened = await openLetters(dataDir, warn);
  const isWanted = letterSelection(filter);
  for await (const letter of opened.letters?.list() ?? []) {
    if (isWanted(letter)) yield summaryOf(letter);
  }
}

/** One of them, whole. Throws `LOCKED`. */
export async function readStoredLetter(
  dataDir: string,
  id: string,
  warn: (message: string) => void,
): Promise<DeadLetter | null> {
  await using opened = await openLetters(dataDir, warn);
  return (await opened.letters?.get(id)) ?? null;
}

/** Deletes letters there; resolves with how many. Throws `LOCKED` where a process runs. */
export async function purgeStoredLetters(
  dataDir: string,
  filter: DeadLetterFilter,
  warn: (message: string) => void,
): Promise<number> {
  await using opened = await openLetters(dataDir, warn);
  const isWanted = letterSelection(filter);
  const ids: string[] = [];
  for await (const letter of opened.letters?.list() ?? [])
    if (isWanted(letter)) ids.push(letter.id);
  await opened.letters?.remove(ids);
  return ids.length;
}

interface OpenedLetters extends AsyncDisposable {
  /** Null where nothing was ever kept: asking makes no directories. */
  readonly letters: DeadLetterStore | null;
}

async function openLetters(
  dataDir: string,
  warn: (message: string) => void,
): Promise<OpenedLetters> {
  const dir = join(dataDir, "dead-letters");
  if (!existsSync(dir)) return { letters: null, [Symbol.asyncDispose]: async () => {} };
  const { CloseStack, lockDirectory } = await import("@orgloop/files");
  const { fileDeadLetters } = await import("@orgloop/stores");
  await using opened = new CloseStack();
  const lock = await lockDirectory(dataDir, { purpose: "dead letters" });
  opened.defer(() => lock.release());
  const letters = await fileDeadLetters({ dir, warn });
  opened.defer(() => letters.close());
  const kept = opened.move();
  return { letters, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
