import type { DeliveryPolicy } from "@orgloop/engine";
import pLimit, { type LimitFunction } from "p-limit";

/** What the deliveries of a batch share. */
export interface Invocation {
  remainingMs(): number;
  /** Attempts that were begun. */
  attempts: number;
  /** Runs so many attempts at a time as the actor may get from one invocation. */
  readonly limit: LimitFunction;
  /** The probes under way here, by their routes: each resolves when it has ended. */
  readonly probes: Map<string, Promise<void>>;
  /** True when no other delivery of the batch is under way, nor will be. */
  alone: boolean;
}

/**
 * What an invocation needs after its last attempt: to write the outcome, hide what comes again,
 * answer.
 */
export const MARGIN_MS = 5_000;
/** How long an actor that does not mind its signal is waited for. */
export const RELEASE_MS = 1_000;

export function newInvocation(remainingMs: () => number, together: number): Invocation {
  return { remainingMs, attempts: 0, limit: pLimit(together), probes: new Map(), alone: false };
}

/**
 * How long an attempt may take now; null: the invocation has not enough time left. The first one of
 * an invocation gets what there is: a route that was given a longer timeout than its function has
 * would otherwise wait for ever.
 */
export function attemptTime({ timeoutMs }: DeliveryPolicy, invocation: Invocation): number | null {
  const leftMs = invocation.remainingMs() - RELEASE_MS - MARGIN_MS;
  if (leftMs >= timeoutMs) return timeoutMs;
  return invocation.attempts === 0 && leftMs > 0 ? leftMs : null;
}
