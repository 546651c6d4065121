import type { Delivery } from "@orgloop/core";
import { CheckedLines, type FileSystem } from "@orgloop/files";
import { messageOf } from "@orgloop/sdk";
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
  close(): Promise<void>;
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

export interface AttemptStartsOptions {
  readonly path: string;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  /** Which keys may still come back. */
  readonly isWanted: (eventId: string, replay: number) => boolean;
  readonly warn: (message: string) => void;
}

export async function attemptStarts(options: AttemptStartsOptions): Promise<AttemptStarts> {
  const { path, fileSystem, clock, isWanted, warn } = options;
  let before = new Map<string, number>();
  let lines = 0;
  const file = await CheckedLines.open({
    path,
    fileSystem,
    begin() {
      before = new Map();
      lines = 0;
      return (body) => {
        const [key, count] = JSON.parse(body.toString()).start;
        if (count > 0) before.set(key, count);
        else before.delete(key);
        lines += 1;
      };
    },
    upgrade,
    loss: () => "",
    advice: "Deaths of the process at an event may be counted anew; no event is lost",
    warn,
  });
  for (const key of before.keys()) {
    const [eventId, replay] = JSON.parse(key);
    if (!isWanted(eventId, replay)) before.delete(key);
  }
  if (lines > before.size) {
    await file
      .rewrite(Array.from(before, (entry) => bodyOf(...entry)))
      .catch((error) => warn(`${path} was not rewritten: ${messageOf(error)}`));
  }
  const write = async (key: string, count: number): Promise<void> => {
    await file.inTurn(() => file.append([bodyOf(key, count)], { durable: false }));
  };
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
    close: () => file.inTurn(() => file.close()),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

const bodyOf = (key: string, count: number): string => JSON.stringify({ start: [key, count] });

/** The body of a line as it was written before there were checksums. */
function upgrade(line: string): string | null {
  try {
    const [key, count] = JSON.parse(line);
    const whole = Array.isArray(JSON.parse(key)) && typeof count === "number";
    return whole ? bodyOf(key, count) : null;
  } catch {
    return null;
  }
}
