import type { DeadLetter, LogEntry, OrgLoopEvent } from "@orgloop/sdk";
import type { BreakerState } from "../delivery/breaker.ts";
import type { Delivery, Outcome } from "../delivery/delivery.ts";

/** An entry of the log before a host has completed it. */
export type OpenEntry = Omit<LogEntry, "timestamp">;

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

/** What the log says of an attempt that has ended. */
export function attemptEntry(
  delivery: Delivery,
  outcome: Outcome,
  attempt: number,
  duration_ms: number,
): OpenEntry {
  const about = { ...deliveryEntry(delivery), attempt, duration_ms };
  if (outcome.kind === "delivered") {
    return { ...about, phase: "deliver.success", result: outcome.status };
  }
  const { lastError } = outcome.state;
  const failure = { ...about, ...(lastError !== null && { error: lastError }) };
  if (outcome.kind === "dead") {
    return { ...failure, phase: "deliver.failure", result: outcome.reason };
  }
  const againMs = outcome.kind === "retry" ? outcome.atMs : outcome.untilMs;
  const metadata = { retry_at: new Date(againMs).toISOString() };
  return { ...failure, phase: "deliver.retry", metadata };
}

/**
 * What the log says of a breaker after an attempt; null where nothing has changed. `attempt` counts
 * from 1 within the delivery.
 */
export function circuitEntry(
  delivery: Delivery,
  attempt: number,
  before: BreakerState,
  after: BreakerState,
): OpenEntry | null {
  if (before.openUntilMs === after.openUntilMs) return null;
  const about = { ...deliveryEntry(delivery), attempt };
  if (after.openUntilMs === null) return { ...about, phase: "circuit.close" };
  const metadata = { until: new Date(after.openUntilMs).toISOString() };
  return { ...about, phase: "circuit.open", metadata };
}

/** What the log says of a delivery that waits in the inbox of a session now. */
export function queuedEntry(
  delivery: Delivery,
  session_key: string,
  duration_ms: number,
): OpenEntry {
  const about = { ...deliveryEntry(delivery), duration_ms, metadata: { session_key } };
  return { ...about, phase: "deliver.success", result: "queued in the inbox" };
}

/**
 * What the log says when an actor was told of an inbox, or could not be; `delivery`: the
 * notification, where there was one.
 */
export function noticeEntry(
  notice: {
    readonly sessionKey: string;
    readonly pending: number;
    readonly delivered: boolean;
    readonly error?: string;
  },
  delivery: Delivery | null,
): OpenEntry {
  const { sessionKey: session_key, pending: pending_count, delivered, error } = notice;
  return {
    ...(delivery !== null && deliveryEntry(delivery)),
    phase: "inbox.notify",
    result: delivered ? "delivered" : "failed",
    ...(error !== undefined && { error }),
    metadata: { session_key, pending_count },
  };
}

/** What an entry of the log says of a dead letter. */
export function letterEntry({ event, route, actor }: DeadLetter) {
  return {
    event_id: event.id,
    trace_id: event.trace_id,
    source: event.source,
    event_type: event.type,
    ...(route !== null && { route }),
    ...(actor !== null && { target: actor }),
  };
}

/** What the log says of a dead letter that is durable. */
export function deadLetterEntry(letter: DeadLetter): OpenEntry {
  const { reason, attempts, last_error } = letter;
  const error = last_error === null ? {} : { error: last_error };
  const about = letterEntry(letter);
  return { ...about, phase: "deliver.dead_letter", result: reason, attempt: attempts, ...error };
}

/**
 * What the log says of an event, or a delivery of one, that has come back and is passed over, since
 * it was given up before: its dead letter stands.
 */
export function skippedEntry(
  { id: event_id, trace_id, source, type: event_type }: OrgLoopEvent,
  { route, actor }: Partial<Pick<Delivery, "route" | "actor">> = {},
): OpenEntry {
  const about = { event_id, trace_id, source, event_type };
  const result = "given up before: orgloop dead-letters list has it";
  const at = {
    ...(route !== undefined && { route }),
    ...(actor !== undefined && { target: actor }),
  };
  return { ...about, ...at, phase: "deliver.skipped", result };
}

/** What the log says of an event that a source or somebody else puts on the bus. */
export function emitEntry(event: OrgLoopEvent): OpenEntry {
  const { id: event_id, trace_id, source, type: event_type, provenance } = event;
  const metadata = { platform_event: provenance.platform_event };
  return { phase: "source.emit", event_id, trace_id, source, event_type, metadata };
}

/**
 * What the log says of an event that its source has sent before. `again`: it is routed all the
 * same.
 */
export function repeatEntry(
  event: OrgLoopEvent,
  { again }: { readonly again: boolean },
): OpenEntry {
  const { id: event_id, trace_id, source, type: event_type } = event;
  const hint = `not routed; orgloop replay --event ${event_id} does`;
  const result = again ? "routed again" : hint;
  return { phase: "source.repeat", event_id, trace_id, source, event_type, result };
}

/**
 * What the log says of an event whose id, `former`, its sender had used before for another body.
 */
export function reusedEntry(event: OrgLoopEvent, former: string): OpenEntry {
  const { id: event_id, trace_id, source, type: event_type } = event;
  const result = `${former} was sent before with another body: routed under an id of its own`;
  return { phase: "source.id_reused", event_id, trace_id, source, event_type, result };
}
