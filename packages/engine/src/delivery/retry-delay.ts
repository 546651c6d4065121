import type { RetryPolicy } from "./delivery.ts";

/** Doubled so often, the least delay is longer than any cap; beyond it 0 × ∞ would be no number. */
const MAX_DOUBLINGS = 52;

/**
 * How long to wait after the n-th failed attempt (n from 1), in ms: exponential doubles, linear
 * adds, fixed repeats `initialDelayMs`; capped by `maxDelayMs`; then jittered: full takes a random
 * share of it, equal a random share of its half.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function retryDelayMs(policy: RetryPolicy, failures: number, random: () => number): number {
  const grown = {
    exponential: policy.initialDelayMs * 2 ** Math.min(failures - 1, MAX_DOUBLINGS),
    linear: policy.initialDelayMs * failures,
    fixed: policy.initialDelayMs,
  }[policy.backoff];
  const delay = Math.min(grown, policy.maxDelayMs);
  switch (policy.jitter) {
    case "full":
      return Math.round(random() * delay);
    case "equal":
      return Math.round(delay / 2 + (random() * delay) / 2);
    case "none":
      return delay;
  }
}
