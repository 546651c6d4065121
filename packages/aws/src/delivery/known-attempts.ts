import { type Delivery, NO_ATTEMPTS, type ReservedTime } from "@orgloop/engine";
import type { AttemptState } from "@orgloop/sdk";
import { attemptsKey } from "../queue/actor-message.ts";
import type { AttemptStore } from "../state/attempts.ts";

/** What is remembered of a delivery between receives. */
interface Remembered {
  readonly state: AttemptState;
  /** Attempts that began and had no end: the function died. */
  readonly deaths: number;
  /** The send time that its route's rate has given it. */
  readonly reserved: ReservedTime | null;
  /** Until when it waits, in ms since the epoch; 0: it does not. */
  readonly heldUntilMs: number;
}

/** The same, while the delivery is in hand. */
export interface KnownAttempts extends Remembered {
  /** Something was kept of it before. */
  readonly isKept: boolean;
  /** Remembers what has changed. */
  keep(change: Partial<Remembered>): Promise<void>;
  /**
   * Counts the beginning of an attempt; undefined: a first receive, which nothing can have died of.
   */
  readonly begin: (() => Promise<void>) | undefined;
  /** The delivery is done with. */
  forget(): Promise<void>;
}

/** Nothing is read of what was never received before. */
export async function knownAttempts(
  delivery: Delivery,
  receives: number,
  { attempts }: { readonly attempts: AttemptStore },
): Promise<KnownAttempts> {
  const key = attemptsKey(delivery);
  const kept = receives > 1 ? await attempts.load(key) : null;
  let wasKept = kept !== null;
  let now: Remembered = {
    state: kept?.state ?? NO_ATTEMPTS,
    deaths: kept?.starts ?? 0,
    reserved: kept?.reserved ?? null,
    heldUntilMs: kept?.heldUntilMs ?? 0,
  };
  return {
    isKept: kept !== null,
    get state() {
      return now.state;
    },
    get deaths() {
      return now.deaths;
    },
    get reserved() {
      return now.reserved;
    },
    get heldUntilMs() {
      return now.heldUntilMs;
    },
    async keep(change) {
      now = { ...now, ...change };
      wasKept = true;
      const { deaths: starts, heldUntilMs, ...rest } = now;
      await attempts.save(key, { ...rest, starts, heldUntilMs: heldUntilMs || null });
    },
    begin: receives > 1 ? async () => void (await attempts.start(key)) : undefined,
    async forget() {
      if (wasKept || receives > 1) await attempts.forget(key);
    },
  };
}
