import { appendFile, readFile } from "node:fs/promises";
import type { Delivery } from "@orgloop/core";
import { replaceFile } from "@orgloop/files";
import { hasCode } from "@orgloop/sdk";
import { type Clock, waitUntil } from "./clock.ts";

/**
 * Which events were being worked on when the process died. Only those that come back from the bus are watched: a healthy process writes
 * nothing. The start is written before the work and taken back with its end, so that what remains is deaths: a drain, a stop or an
 * event that merely waited leaves nothing behind.
 */
export interface AttemptStarts {
  /** How often the process has died at it since the event first came back. */
  deaths(key: string): number;
  /**
   * Resolves when a death of the process would be remembered (not a power cut). What the process has died at before goes one at a time
   * and by itself, so that its neighbours are not taken for it, nor it for them; but nothing waits for one that takes long, and nothing
   * at all when `abandon` is aborted.
   */
  begin(key: string, abandon: AbortSignal): Promise<void>;
  end(key: string): void;
}

/** What is worked on: an event on a route, or, without one, its routing. */
export function startKey(eventId: string, replay: number, route = ""): string {
  return JSON.stringify([eventId, replay, route]);
}

/** The transforms of an event on a route. */
export function laneStartKey({
  event,
  replay,
  route,
}: Pick<Delivery, "event" | "replay" | "route">) {
  return JSON.stringify([event.id, replay, route, "transforms"]);
}

/** For one that takes long. */
const PATIENCE_MS = 5_000;

/** `file`: JSON lines, `[key, deaths]`. `isWanted` says which keys may still come back. */
export async function attemptStarts(
  file: string,
  clock: Clock,
  isWanted: (eventId: string, replay: number) => boolean,
): Promise<AttemptStarts> {
  const before = await read(file);
  for (const key of before.keys()) {
    const [eventId, replay] = JSON.parse(key);
    if (!isWanted(eventId, replay)) before.delete(key);
  }
  const lines = [...before].map((entry) => `${JSON.stringify(entry)}\n`).join("");
  if (before.size > 0 || (await exists(file))) await replaceFile(file, lines);
  const write = (key: string, count: number): Promise<void> =>
    appendFile(file, `${JSON.stringify([key, count])}\n`, { mode: 0o600 });
  let turn: Promise<void> = Promise.resolve();
  const turns = new Map<string, () => void>();
  return {
    deaths: (key) => before.get(key) ?? 0,
    async begin(key, abandon) {
      const deaths = before.get(key) ?? 0;
      const previous = turn;
      if (deaths === 0) {
        await Promise.race([previous, waitUntil(clock, clock.now() + PATIENCE_MS, abandon)]);
      } else {
        const { promise, resolve } = Promise.withResolvers<void>();
        turns.set(key, resolve);
        turn = promise;
        await Promise.race([previous, aborted(abandon)]);
        void waitUntil(clock, clock.now() + PATIENCE_MS, abandon).then(resolve);
      }
      await write(key, deaths + 1);
    },
    end(key) {
      turns.get(key)?.();
      turns.delete(key);
      before.delete(key);
      // Kept too long it only counts one death too many.
      write(key, 0).catch(() => undefined);
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function read(file: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  let text = "";
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  for (const line of text.split("\n")) {
    try {
      const [key, count] = JSON.parse(line);
      if (typeof key !== "string" || !Array.isArray(JSON.parse(key))) continue;
      if (count > 0) counts.set(key, count);
      else counts.delete(key);
    } catch {
      // Torn by the death that it tells of, or empty.
    }
  }
  return counts;
}

async function exists(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    () => false,
  );
}
