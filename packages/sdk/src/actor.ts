import type { OrgLoopEvent } from "./event.ts";

/** A route's prompt file (`with.prompt_file`), front matter taken off (v1alpha1, section 4). */
export interface Prompt {
  readonly text: string;
  /** Absolute path of the file. */
  readonly file: string;
  /** The YAML front matter; null where the file has none. */
  readonly meta: Readonly<Record<string, unknown>> | null;
}

export interface DeliveryContext {
  readonly route: string;
  /** `then.config`, filled in from the event. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly prompt?: Prompt;
  /** 1 for the first attempt of this event on this route. */
  readonly attempt: number;
  /** 0, or the number of times that this event was replayed. */
  readonly replay: number;
  /**
   * By which a receiver may drop what it has seen: the same for every attempt, another one for
   * another route to the same actor and for a replay. It is the event's id where neither tells
   * deliveries apart.
   */
  readonly deliveryId?: string;
  /** Counts a placeholder of the actor's own templates that leads nowhere in this event. */
  readonly onMissing?: (path: string) => void;
  /** Aborted when the attempt's timeout has passed or a drain gives up on it. */
  readonly signal: AbortSignal;
}

/** `skipped`: the actor chose not to act on it; it counts as delivered. */
export interface DeliveryReceipt {
  readonly status: "delivered" | "skipped";
  readonly reason?: string;
}

/**
 * A running actor. The type of what `deliver` throws is the decision: {@link PermanentError} is
 * never retried, {@link RetryAfterError} says when, anything else is retried as the route's policy
 * says. It may be called again with the same event: at least once, never exactly once.
 */
export interface Actor {
  deliver(event: OrgLoopEvent, context: DeliveryContext): Promise<DeliveryReceipt | undefined>;
  close?(): Promise<void>;
}
