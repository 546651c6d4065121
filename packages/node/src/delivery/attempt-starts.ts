import type { Deaths, Delivery } from "@orgloop/engine";
import { type Clock, waitUntil, wallTime } from "../process/clock.ts";
import { type KeptStartsOptions, keptStarts } from "./kept-starts.ts";

/**
 * Which events were being worked on when the process died. Only those that come back from the bus
 * are watched: a healthy process writes nothing. The start is written before the work and taken
 * back with its end, so that what remains is deaths: a drain, a stop or an event that merely waited
 * leaves nothing behind. Beside them stands which deliveries wait because their actors have asked
 * for it.
 */
export interface AttemptStarts {
  /** How often the process has died at it since the event first came back. */
  deaths(key: string): number;
  /**
   * Resolves when a death of the process would be remembered (not a power cut). What the process
   * has died at before goes one at a time and by itself, so that its neighbours are not taken for
   * it, nor it for them; but nothing waits for one that takes long, and nothing at all when
   * `abandon` is aborted.
   */
  begin(key: string, abandon: AbortSignal): Promise<void>;
  end(key: string): void;
  /**
   * Keeps until when (ms of `clock.now`) its actor, or a source, has asked to be left alone; null:
   * that is over.
   */
  ask(key: string, untilMs: number | null): void;
  /**
   * The same, as the process before has left it; at most `longestMs` from now and as long as it was
   * asked for, however the machine's clock was set.
   */
  askedUntil(key: string, longestMs: number): number | null;
  close(): Promise<void>;
}

/** A delivery's attempts. */
export function deliveryKey({
  event,
  replay,
  route,
}: Pick<Delivery, "event" | "replay" | "route">) {
  return JSON.stringify([event.id, replay, route]);
}

/**
 * Deaths of the process, as the engine asks for them. A disk that takes no note keeps nothing from
 * being tried.
 */
export function deathsOf(starts: AttemptStarts, abandon: AbortSignal): Deaths {
  return {
    host: "process",
    async begin(key) {
      const deaths = starts.deaths(key);
      await starts.begin(key, abandon).catch(() => undefined);
      return deaths;
    },
    async end(key) {
      starts.end(key);
    },
  };
}

/** For one that takes long. */
const PATIENCE_MS = 5_000;

export interface AttemptStartsOptions extends Omit<KeptStartsOptions, "wall"> {
  readonly clock: Clock;
}

export async function attemptStarts({
  clock,
  ...options
}: AttemptStartsOptions): Promise<AttemptStarts> {
  const kept = await keptStarts({ ...options, wall: clock.wall });
  const before = new Map(kept.counts);
  let turn: Promise<void> = Promise.resolve();
  const turns = new Map<string, () => void>();
  return {
    deaths: (key) => before.get(key) ?? 0,
    async begin(key, abandon) {
      const deaths = before.get(key) ?? 0;
      const previous = turn;
      if (deaths === 0) {
        if (turns.size > 0) {
          await Promise.race([previous, waitUntil(clock, clock.now() + PATIENCE_MS, abandon)]);
        }
      } else {
        const { promise, resolve } = Promise.withResolvers<void>();
        turns.set(key, resolve);
        turn = promise;
        await Promise.race([previous, aborted(abandon)]);
        void waitUntil(clock, clock.now() + PATIENCE_MS, abandon).then(resolve);
      }
      await kept.put({ start: [key, deaths + 1] });
    },
    end(key) {
      turns.get(key)?.();
      turns.delete(key);
      before.delete(key);
      // Kept too long it only counts one death too many.
      kept.put({ start: [key, 0] }).catch(() => undefined);
    },
    ask(key, untilMs) {
      if (untilMs === null && !kept.asked.has(key)) return;
      const asked: readonly [string, number, number?] =
        untilMs === null ? [key, 0] : [key, wallTime(clock, untilMs), untilMs - clock.now()];
      // Not kept, it only comes too early after a restart.
      kept.put({ asked }).catch(() => undefined);
    },
    askedUntil(key, longestMs) {
      const wait = kept.asked.get(key);
      if (wait === undefined) return null;
      return clock.now() + Math.min(wait.untilMs - clock.wall(), wait.forMs, longestMs);
    },
    close: kept.close,
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
