import type { DeadReason, LogEntry } from "@orgloop/sdk";
import { isUnfitLetter } from "../dead-letters/dead-letter.ts";
import type { EventTraces } from "./event-traces.ts";
import { outcomesOf, type RouteOutcome } from "./route-outcomes.ts";
import { type TimelineStep, timelineOf } from "./timeline.ts";

/**
 * What became of the event as a whole. `unfit`: refused by the schema of its source; `given up`: as
 * a whole, whatever routes it would have taken; `unknown`: nothing was kept that tells.
 */
export type EventState = "unfit" | "given up" | "waiting" | "no route" | "routed" | "unknown";

/** What really happened to one event. */
export interface EventStory {
  readonly state: EventState;
  /** Why it was given up as a whole; null where it was not. */
  readonly reason: DeadReason | null;
  /** Oldest first. */
  readonly timeline: readonly TimelineStep[];
  /** Of the routes that took it, in the order in which they did. */
  readonly outcomes: readonly RouteOutcome[];
  /** Whether the log has kept which routes took it: then any other did not. */
  readonly isWhole: boolean;
}

/** Tells the story of an event from what a host has kept of it. */
export function eventStory(id: string, traces: EventTraces): EventStory {
  const own = traces.entries.filter(({ event_id }) => event_id === id);
  const outcomes = outcomesOf(own, traces);
  const isWhole = own.some(({ phase }) => phase === "route.match" || phase === "route.no_match");
  return {
    ...stateOf(own, outcomes, traces),
    timeline: timelineOf(id, traces, outcomes),
    outcomes,
    isWhole,
  };
}

function stateOf(
  own: readonly LogEntry[],
  outcomes: readonly RouteOutcome[],
  { letters, routed, isUnsettled }: EventTraces,
): Pick<EventStory, "state" | "reason"> {
  if (outcomes.length > 0) return { state: "routed", reason: null };
  const letter = letters.find(({ route }) => route === null);
  const said = own.findLast(
    ({ phase, route }) => phase === "deliver.dead_letter" && route === undefined,
  );
  const reason = letter?.reason ?? (said?.result as DeadReason | undefined);
  const isOver = !own.some(({ phase }) => phase === "route.no_match") && !isUnsettled;
  if (reason !== undefined && isOver) {
    const isUnfit = letter === undefined ? reason === "invalid" : isUnfitLetter(letter);
    return { state: isUnfit ? "unfit" : "given up", reason };
  }
  const known = { reason: null };
  if (own.some(({ phase }) => phase === "route.no_match")) return { state: "no route", ...known };
  if (isUnsettled) return { state: "waiting", ...known };
  // The record has what was routed; the log of it may be gone.
  return { state: routed.length > 0 ? "routed" : "unknown", ...known };
}
