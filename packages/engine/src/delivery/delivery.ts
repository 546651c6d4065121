import type { AttemptState, DeadReason, OrgLoopEvent, Prompt } from "@orgloop/sdk";

export type { AttemptState } from "@orgloop/sdk";

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
 * What the host is to do with a delivery. The host waits, settles, buries; core decides. Times in
 * ms since the epoch.
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
