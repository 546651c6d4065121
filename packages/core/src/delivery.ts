import type { DeadReason, OrgLoopEvent, Prompt } from "@orgloop/sdk";

/** One event on its way to one actor over one route: what `routeEvent` yields and `attemptDelivery` attempts. */
export interface Delivery {
  /** As the actor gets it: transformed. */
  readonly event: OrgLoopEvent;
  readonly route: string;
  readonly actor: string;
  /** Deliveries of one route and ordering key keep their order (`config-at-scale.md`, the ordering key). */
  readonly orderingKey: string;
  /** `then.config` with `{{dot.path}}` filled in. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly prompt?: Prompt;
  /** 0, or which replay of the event this is. */
  readonly replay: number;
}

/** What is remembered between the attempts of one delivery. Times in ms since the epoch. */
export interface AttemptState {
  /** Attempts that have failed; failed probes of an open breaker are not among them. */
  readonly attempts: number;
  /** Since when this delivery has failed as a probe; null: never, or it was attempted otherwise since. */
  readonly probedSinceMs: number | null;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  readonly firstError: string | null;
  readonly lastError: string | null;
}

export const NO_ATTEMPTS: AttemptState = {
  attempts: 0,
  probedSinceMs: null,
  firstAtMs: null,
  lastAtMs: null,
  firstError: null,
  lastError: null,
};

/** What the host is to do with a delivery. The host waits, settles, buries; core decides. Times in ms since the epoch. */
export type Outcome =
  | {
      readonly kind: "delivered";
      readonly status: "delivered" | "skipped";
      readonly attempts: number;
    }
  | { readonly kind: "retry"; readonly atMs: number; readonly state: AttemptState }
  | { readonly kind: "hold"; readonly untilMs: number; readonly state: AttemptState }
  | { readonly kind: "dead"; readonly reason: DeadReason; readonly state: AttemptState };
