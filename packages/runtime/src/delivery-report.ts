import type { BreakerState, Delivery, Outcome } from "@orgloop/core";
import { isPermanent, type LogEntry } from "@orgloop/sdk";
import type { Activity } from "./activity.ts";
import type { Alert } from "./alerts.ts";

export interface DeliveryReportOptions {
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
  readonly alert: Alert;
  readonly now: () => number;
}

/** What the log, the metrics and the operator hear of one actor's deliveries. */
export interface DeliveryReport {
  attempted(delivery: Delivery, outcome: Outcome, attempt: number, durationMs: number): void;
  /** A breaker after an attempt. */
  circuit(delivery: Delivery, before: BreakerState, after: BreakerState): void;
  /** An attempt threw; it matters here where it says that the actor is gone. */
  gone(delivery: Delivery, error: unknown): void;
  /** No room for it in a queue of `depth`. */
  dropped(victim: Delivery, depth: number): void;
}

/** An alert says so when a breaker has not closed for this long. */
const ILL_AFTER_MS = 300_000;
export function deliveryReport({
  log,
  activity,
  alert,
  now,
}: DeliveryReportOptions): DeliveryReport {
  /** Since when each breaker that is not closed is not. */
  const openSinceMs = new Map<string, number>();

  function attempted(
    delivery: Delivery,
    outcome: Outcome,
    attempt: number,
    duration_ms: number,
  ): void {
    const about = { ...deliveryEntry(delivery), attempt, duration_ms };
    if (outcome.kind === "delivered") {
      log({ ...about, phase: "deliver.success", result: outcome.status });
      activity.delivered(delivery.route, delivery.actor, duration_ms);
      return;
    }
    activity.attemptFailed(delivery.route, delivery.actor, duration_ms);
    const { lastError } = outcome.state;
    const failure = { ...about, ...(lastError !== null && { error: lastError }) };
    if (outcome.kind === "dead") {
      log({ ...failure, phase: "deliver.failure", result: outcome.reason });
      return;
    }
    activity.retried(delivery.route, delivery.actor);
    const againMs = outcome.kind === "retry" ? outcome.atMs : outcome.untilMs;
    const metadata = { retry_at: new Date(againMs).toISOString() };
    log({ ...failure, phase: "deliver.retry", metadata });
  }

  function circuit(delivery: Delivery, before: BreakerState, after: BreakerState): void {
    if (before.openUntilMs === after.openUntilMs) return;
    const about = deliveryEntry(delivery);
    const { route, actor: target } = delivery;
    if (after.openUntilMs === null) {
      openSinceMs.delete(route);
      log({ ...about, phase: "circuit.close" });
      return;
    }
    const metadata = { until: new Date(after.openUntilMs).toISOString() };
    log({ ...about, phase: "circuit.open", metadata });
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

  function dropped(victim: Delivery, depth: number): void {
    const { route, actor: target } = victim;
    activity.dropped(route, target);
    alert("backpressure", { route, target, error: `${target} does not keep up: queue full` });
    log({ ...deliveryEntry(victim), phase: "pipeline.backpressure", queue_depth: depth });
  }

  return { attempted, circuit, gone, dropped };
}

/** What an entry of the log says of a delivery. */
export function deliveryEntry({ event, route, actor, replay }: Delivery) {
  return {
    ...(replay > 0 && { replay }),
    event_id: event.id,
    trace_id: event.trace_id,
    source: event.source,
    event_type: event.type,
    route,
    target: actor,
  };
}
