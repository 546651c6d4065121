import { EVENT_TYPES, type OrgLoopEvent } from "../event.ts";
import { isMapping } from "./json.ts";

/**
 * An event as a person or a script writes it: whoever takes it fills in what is missing but the
 * source.
 */
export type InjectedEvent = Pick<OrgLoopEvent, "source"> & Partial<OrgLoopEvent>;

/** Levels of an event's payload: writing deeper ones as JSON would overflow the stack. */
export const MAX_DEPTH = 200;

/** What is wrong with `value` as an event (v1alpha1, section 3); null where nothing is. */
export function checkEvent(value: unknown): string | null {
  if (!isMapping(value)) return `expected an event (an object), found ${kindOf(value)}`;
  const { id, timestamp, source, type, provenance, payload, trace_id, ordering_key } = value;
  if (typeof source !== "string" || source === "") {
    return "`source`: expected the id of a source";
  }
  if (type !== undefined && !(EVENT_TYPES as readonly unknown[]).includes(type)) {
    return `\`type\`: ${JSON.stringify(type)} is no event type; there are: ${EVENT_TYPES.join(", ")}`;
  }
  if (provenance !== undefined && !isMapping(provenance)) {
    return `\`provenance\`: expected an object, found ${kindOf(provenance)}`;
  }
  if (payload !== undefined && !isMapping(payload)) {
    return `\`payload\`: expected an object, found ${kindOf(payload)}`;
  }
  if (id !== undefined && !matches(id, /^evt_[A-Za-z0-9]+$/)) {
    return "`id`: expected `evt_` and letters or digits, or no id";
  }
  if (trace_id !== undefined && !matches(trace_id, /^trc_[A-Za-z0-9]+$/)) {
    return "`trace_id`: expected `trc_` and letters or digits, or none";
  }
  if (timestamp !== undefined && !isTime(timestamp)) {
    return "`timestamp`: expected ISO 8601, e.g. 2026-11-23T09:00:00Z, or none";
  }
  if (isDeeperThan(value, MAX_DEPTH + 1)) {
    return `it is nested more than ${MAX_DEPTH} levels deep`;
  }
  if (ordering_key !== undefined && typeof ordering_key !== "string") {
    return `\`ordering_key\`: expected text, found ${kindOf(ordering_key)}`;
  }
  return null;
}

/**
 * What is wrong with `value` as what a source hands over ({@link EventDraft}); null where nothing
 * is.
 */
export function checkDraft(value: unknown): string | null {
  if (!isMapping(value)) return `expected an event (an object), found ${kindOf(value)}`;
  const { identity, provenance, payload } = value;
  if (identity !== undefined && typeof identity !== "string") {
    return `\`identity\`: expected text, found ${kindOf(identity)}`;
  }
  if (provenance === undefined || payload === undefined) {
    return `\`${provenance === undefined ? "provenance" : "payload"}\` is missing`;
  }
  return checkEvent({ ...value, source: "-" });
}

/** What is wrong with `value` as a list of {@link checkDraft}'s; null where nothing is. */
export function checkDrafts(value: unknown): string | null {
  if (!Array.isArray(value)) return `expected a list of events, found ${kindOf(value)}`;
  for (const [at, draft] of value.entries()) {
    const wrong = checkDraft(draft);
    if (wrong !== null) return `event ${at + 1}: ${wrong}`;
  }
  return null;
}

/**
 * What is wrong with `value` as what a transform makes of an event; null where nothing is. `id` is
 * any text: the event keeps its own. `timestamp`, `provenance` and `trace_id` may be left out.
 */
export function checkTransformed(value: unknown): string | null {
  if (!isMapping(value)) return `expected an event (an object), found ${kindOf(value)}`;
  const { id, ...rest } = value;
  if (typeof id !== "string" || id === "") return "`id`: expected the event's";
  for (const key of ["type", "payload"]) {
    if (rest[key] === undefined) return `\`${key}\` is missing`;
  }
  return checkEvent(rest);
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === "string" && pattern.test(value);
}

function isTime(value: unknown): boolean {
  return matches(value, /^\d{4}-\d\d-\d\dT/) && !Number.isNaN(Date.parse(value as string));
}

/** True where lists and objects lie in one another in more than `levels` levels. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((child) => isDeeperThan(child, levels - 1));
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
