import {
  type BreakerChange,
  type Delivery,
  deliveryEntry,
  isInboxNotice,
  type Outcome,
} from "@orgloop/engine";
import { isPermanent, type LogEntry } from "@orgloop/sdk";
import type { Activity } from "../telemetry/activity.ts";
import type { Alert } from "../telemetry/alerts.ts";

export interface DeliveryReportOptions {
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
  readonly alert: Alert;
  readonly now: () => number;
}

/** What metrics and the operator hear of one actor's deliveries. */
export interface DeliveryReport {
  attempted(delivery: Delivery, outcome: Outcome, durationMs: number): void;
  /** The breaker of its route has opened, opened again or closed. */
  circuit(delivery: Delivery, change: BreakerChange): void;
  /** An attempt threw; it matters here where it says that the actor is gone. */
  gone(delivery: Delivery, error: unknown): void;
  /** Why the breaker of a route is not closed, and since when (wall time, ms); null: not known. */
  opened(route: string): { readonly error: string | null; readonly sinceMs: number } | null;
  /** No room for it in a queue of `depth`. */
  dropped(victim: Delivery, attempts: number, depth: number): void;
}

/** An alert says so when a breaker has not closed for this long. */
const ILL_AFTER_MS = 300_000;

export function deliveryReport(options: DeliveryReportOptions): DeliveryReport {
  const { log, activity, alert, now } = options;
  /** Since when each breaker that is not closed is not. */
  const openSinceMs = new Map<string, number>();
  /** What the last attempt on each route came to that failed. */
  const lastErrors = new Map<string, string>();

  function attempted(delivery: Delivery, outcome: Outcome, duration_ms: number): void {
    if (outcome.kind === "delivered") {
      // The events that a notice tells of were counted when they were kept.
      if (isInboxNotice(delivery.event)) return;
      activity.delivered(delivery.route, delivery.actor, duration_ms);
      return;
    }
    if (outcome.state.lastError !== null) lastErrors.set(delivery.route, outcome.state.lastError);
    activity.attemptFailed(delivery.route, delivery.actor, duration_ms);
    if (outcome.kind !== "dead") activity.retried(delivery.route, delivery.actor);
  }

  function circuit(delivery: Delivery, { after }: BreakerChange): void {
    const { route, actor: target } = delivery;
    if (after.openUntilMs === null) {
      openSinceMs.delete(route);
      lastErrors.delete(route);
      return;
    }
    const sinceMs = openSinceMs.get(route) ?? now();
    openSinceMs.set(route, sinceMs);
    if (now() - sinceMs < ILL_AFTER_MS) return;
    const error = `held since ${new Date(sinceMs).toISOString()}: ${target} does not recover`;
    alert("breaker_open", { route, target, error });
  }

  function gone({ route, actor: target }: Delivery, error: unknown): void {
    if (!isPermanent(error) || !error.gone) return;
    alert("actor_gone", { route, target, error: `${target} is gone for good: ${error.message}` });
  }

  function dropped(victim: Delivery, attempts: number, depth: number): void {
    const { route, actor: target } = victim;
    activity.dropped(route, target);
    alert("backpressure", { route, target, error: `${target} does not keep up: queue full` });
    const about = { ...deliveryEntry(victim), attempt: attempts, queue_depth: depth };
    log({ ...about, phase: "pipeline.backpressure" });
  }

  function opened(route: string): ReturnType<DeliveryReport["opened"]> {
    const sinceMs = openSinceMs.get(route);
    return sinceMs === undefined ? null : { error: lastErrors.get(route) ?? null, sinceMs };
  }

  return { attempted, circuit, gone, opened, dropped };
}
