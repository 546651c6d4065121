import {
  type AttemptState,
  DEFAULT_MAX_RETRY_AFTER,
  type DeadReason,
  type DeliverySpec,
  type OrgLoopEvent,
  type Prompt,
  parseDuration,
  parseRate,
} from "@orgloop/sdk";

export type { AttemptState } from "@orgloop/sdk";

import { createHash } from "node:crypto";

/**
 * One event on its way to one actor over one route: what `routeEvent` yields and `deliverOnce`
 * delivers.
 */
export interface Delivery {
  /** As the actor gets it: transformed. */
  readonly event: OrgLoopEvent;
  readonly route: string;
  readonly actor: string;
  /**
   * Deliveries of one route and ordering key keep their order (`docs/configuration.md`, the
   * ordering key).
   */
  readonly orderingKey: string;
  /** `then.config`, filled in (`fillRoute`), as the prompt is. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly prompt?: Prompt;
  /** 0, or which replay of the event this is. */
  readonly replay: number;
  /** Its transforms are still to run: the event is as its source gave it, `config` is empty. */
  readonly untransformed?: true;
  /**
   * Which publication of the event, where it is delivered once more on a host that has no other way
   * to tell it from the first.
   */
  readonly publication?: string;
}

export const NO_ATTEMPTS: AttemptState = {
  attempts: 0,
  uncountedSinceMs: null,
  firstAtMs: null,
  lastAtMs: null,
  firstError: null,
  lastError: null,
};

/**
 * What the host is to do with a delivery. The host waits, settles, gives up; the engine decides.
 * Times in ms since the epoch.
 */
export type Outcome =
  | {
      readonly kind: "delivered";
      readonly status: "delivered" | "skipped";
      readonly attempts: number;
    }
  | {
      readonly kind: "retry";
      readonly atMs: number;
      readonly state: AttemptState;
      /**
       * The actor has asked by Retry-After not to come before: a restart of the host must not
       * forget it.
       */
      readonly asked?: true;
    }
  | { readonly kind: "hold"; readonly untilMs: number; readonly state: AttemptState }
  | { readonly kind: "dead"; readonly reason: DeadReason; readonly state: AttemptState };

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

/**
 * By which a receiver may drop what it has seen (`DeliveryContext.deliveryId`): the event's id,
 * with a hash of the route where the actor has several (each is meant to be acted on), and with the
 * number of the replay (it is meant to be done again).
 */
export function deliveryId({ event, route, replay }: Delivery, severalRoutes: boolean): string {
  const ofRoute = severalRoutes ? `.${hash(route)}` : "";
  return `${event.id}${ofRoute}${replay > 0 ? `.r${replay}` : ""}`;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/**
 * When a delivery is older than its route's `max_age`, in ms since the epoch: from then on it is a
 * dead letter, `expired`, without an attempt. Never of a replay: somebody wants it now, however old
 * it is.
 */
export function expiresAt(
  delivery: Pick<Delivery, "event" | "replay">,
  { maxAgeMs }: Pick<DeliveryPolicy, "maxAgeMs">,
): number {
  if (maxAgeMs === null || delivery.replay > 0) return Number.POSITIVE_INFINITY;
  return Date.parse(delivery.event.timestamp) + maxAgeMs;
}

/** A clock that nobody sets, and what is known of the machine's. */
export interface ExpiryClock {
  readonly now: () => number;
  readonly wall: () => number;
  /** How far the machine's was ahead, whenever it was set. */
  readonly offsets?: () => readonly number[];
}

/**
 * The same on a clock that nobody sets. Under which setting of the machine's clock an event was
 * stamped is not known: of the ages that they tell the least counts, and an event of the future has
 * just happened, so that no step makes one too old.
 */
export function expiryDeadline(
  delivery: Pick<Delivery, "event" | "replay">,
  policy: Pick<DeliveryPolicy, "maxAgeMs">,
  { now, wall, offsets }: ExpiryClock,
): number {
  if (policy.maxAgeMs === null || delivery.replay > 0) return Number.POSITIVE_INFINITY;
  const nowMs = now();
  const ages = [wall() - nowMs, ...(offsets?.() ?? [0])]
    .map((ms) => nowMs + ms - Date.parse(delivery.event.timestamp))
    .map((ms) => Math.max(0, ms));
  return nowMs + policy.maxAgeMs - Math.min(...ages);
}

export function isExpired(delivery: Delivery, policy: DeliveryPolicy, nowMs: number): boolean {
  return nowMs > expiresAt(delivery, policy);
}
