import { createHash } from "node:crypto";
import type { AttemptState, Delivery } from "@orgloop/core";
import type { DeadLetter, DeadReason, OrgLoopEvent } from "@orgloop/sdk";

/** One event, route and replay make one dead letter, also where a crash repeats the burial. */
function letterId(parts: readonly (string | number)[]): string {
  return `dl_${createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 32)}`;
}

export function deliveryLetter(
  delivery: Delivery,
  reason: DeadReason,
  state: AttemptState,
  nowMs: number,
): DeadLetter {
  const { event, route, actor, replay } = delivery;
  return {
    id: letterId([event.id, route, replay]),
    event_id: event.id,
    route,
    actor,
    reason,
    attempts: state.attempts,
    first_at: new Date(state.firstAtMs ?? nowMs).toISOString(),
    last_at: new Date(state.lastAtMs ?? nowMs).toISOString(),
    first_error: state.firstError,
    last_error: state.lastError,
    event,
  };
}

/** The letter of an event that could not be routed. */
export function unroutableLetter(event: OrgLoopEvent, error: string, nowMs: number): DeadLetter {
  const at = new Date(nowMs).toISOString();
  return {
    id: letterId([event.id]),
    event_id: event.id,
    route: null,
    actor: null,
    reason: "poison",
    attempts: 0,
    first_at: at,
    last_at: at,
    first_error: error,
    last_error: error,
    event,
  };
}
