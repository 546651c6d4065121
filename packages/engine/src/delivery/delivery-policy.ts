import { DEFAULT_MAX_RETRY_AFTER, type DeliverySpec, parseDuration, parseRate } from "@orgloop/sdk";

/** {@link DeliverySpec} in numbers: what the decisions calculate with. */
export interface DeliveryPolicy {
  readonly rate: RatePolicy | null;
  /** The route's share of its actor's queue; null: no share of its own. */
  readonly queueDepth: number | null;
  readonly overflow: DeliverySpec["overflow"];
  readonly maxAgeMs: number | null;
  readonly timeoutMs: number;
  readonly order: DeliverySpec["order"];
  /**
   * What makes the ordering key; default: `order`. Deliveries of a route under two different values
   * cannot be put in order by key: the earlier ones all go first.
   */
  readonly orderedBy?: string;
  readonly concurrency: number;
  readonly retry: RetryPolicy;
  readonly breaker: BreakerPolicy | null;
}

/** `count` deliveries in `perMs`, up to `burst` of them at once. */
export interface RatePolicy {
  readonly count: number;
  readonly perMs: number;
  readonly burst: number;
}

export interface RetryPolicy {
  /** The first counts. */
  readonly maxAttempts: number;
  readonly backoff: DeliverySpec["retry"]["backoff"];
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  /** The longest that an actor's Retry-After is waited for. */
  readonly maxRetryAfterMs: number;
  readonly jitter: DeliverySpec["retry"]["jitter"];
}

export interface BreakerPolicy {
  readonly failureThreshold: number;
  readonly cooldownMs: number;
  readonly maxCooldownMs: number;
}

/**
 * `sourceKeys`: the keys that the route's sources set. Throws `INVALID_DURATION` or `INVALID_RATE`
 * where a reference resolved to nonsense.
 */
export function compilePolicy(
  spec: DeliverySpec,
  sourceKeys: Readonly<Record<string, string>> = {},
): DeliveryPolicy {
  const { retry, circuit_breaker: breaker } = spec;
  return {
    rate: spec.max_rate === undefined ? null : { ...parseRate(spec.max_rate), burst: spec.burst },
    queueDepth: spec.queue_depth ?? null,
    overflow: spec.overflow,
    maxAgeMs: spec.max_age === undefined ? null : parseDuration(spec.max_age),
    timeoutMs: parseDuration(spec.timeout),
    order: spec.order,
    orderedBy: JSON.stringify([spec.order, spec.key ?? null, sourceKeys]),
    concurrency: spec.concurrency,
    retry: {
      maxAttempts: retry.max_attempts,
      backoff: retry.backoff,
      initialDelayMs: parseDuration(retry.initial_delay),
      maxDelayMs: parseDuration(retry.max_delay),
      maxRetryAfterMs: parseDuration(retry.max_retry_after ?? DEFAULT_MAX_RETRY_AFTER),
      jitter: retry.jitter,
    },
    breaker:
      breaker === false
        ? null
        : {
            failureThreshold: breaker.failure_threshold,
            cooldownMs: parseDuration(breaker.cooldown),
            maxCooldownMs: parseDuration(breaker.max_cooldown),
          },
  };
}
