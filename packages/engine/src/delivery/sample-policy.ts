import type { DeliveryPolicy } from "./delivery.ts";

/**
 * A delivery policy for tests: no rate, age or breaker, three attempts 10 ms apart, and what
 * `change` says.
 */
export function samplePolicy({
  retry,
  ...change
}: Partial<Omit<DeliveryPolicy, "retry">> & {
  readonly retry?: Partial<DeliveryPolicy["retry"]>;
} = {}): DeliveryPolicy {
  return {
    rate: null,
    queueDepth: null,
    overflow: "drop_oldest",
    maxAgeMs: null,
    timeoutMs: 10_000,
    order: "key",
    concurrency: 1,
    breaker: null,
    ...change,
    retry: {
      maxAttempts: 3,
      backoff: "fixed",
      initialDelayMs: 10,
      maxDelayMs: 60_000,
      maxRetryAfterMs: 3_600_000,
      jitter: "none",
      ...retry,
    },
  };
}
