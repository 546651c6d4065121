import { MAX_HIDDEN_SECONDS } from "./hide-in-order.ts";

/** SQS counts 12 hours from when the message was received; the time in this function counts too. */
const LONGEST_SECONDS = MAX_HIDDEN_SECONDS - 3_600;
/**
 * Every hold is a receive, and the redrive policy takes a message at its 1000th: retention must end
 * first.
 */
const MANY_RECEIVES = 500;
const LONG_SECONDS = 3_600;

/**
 * For how long a group is hidden that has to wait until `untilMs`: whole seconds, rounded up, at
 * least 1 and at most 11 hours; an hour or more from the 500th receive of its head on, whatever the
 * wait (docs/decisions/0005).
 */
export function holdSeconds(untilMs: number, nowMs: number, receives: number): number {
  const wanted = Math.max(1, Math.ceil((untilMs - nowMs) / 1_000));
  const least = receives >= MANY_RECEIVES ? LONG_SECONDS : 1;
  return Math.min(Math.max(wanted, least), LONGEST_SECONDS);
}
