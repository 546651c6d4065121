import { OrgLoopError } from "@orgloop/sdk";

const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);

/** A dot path, split. Throws `INVALID_PATH` for an empty segment and for names that reach a prototype. */
export function splitPath(path: string): readonly string[] {
  const segments = path.split(".");
  for (const segment of segments) {
    if (segment === "" || FORBIDDEN.has(segment)) {
      throw new OrgLoopError(
        "INVALID_PATH",
        `"${path}" is not a path in an event: expected names joined by dots, e.g. payload.pull_request.number`,
      );
    }
  }
  return segments;
}

/** The value at a path, own properties and array indices only; undefined where there is none. */
export function getPath(value: unknown, segments: readonly string[]): unknown {
  let current = value;
  for (const segment of segments) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, segment)) {
      return undefined;
    }
    current = (current as Record<string, unknown>)[segment];
  }
  return current;
}

/**
 * The leaves at a path, arrays on the way and at its end taken apart (EventBridge: an event's array matches where one of
 * its elements does). An object at the end is no leaf.
 */
export function leavesAt(value: unknown, segments: readonly string[], from = 0): unknown[] {
  if (Array.isArray(value)) return value.flatMap((element) => leavesAt(element, segments, from));
  const segment = segments[from];
  if (segment === undefined) {
    return value === undefined || (typeof value === "object" && value !== null) ? [] : [value];
  }
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, segment)) return [];
  return leavesAt((value as Record<string, unknown>)[segment], segments, from + 1);
}
