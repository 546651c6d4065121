import { OrgLoopError } from "./errors.ts";

const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);

/** A dot path in an event, split. Throws `INVALID_PATH` for an empty segment and for names that reach a prototype. */
export function splitPath(path: string): readonly string[] {
  const segments = path.split(".");
  if (segments.some((segment) => segment === "" || FORBIDDEN.has(segment))) {
    throw new OrgLoopError(
      "INVALID_PATH",
      `"${path}" is not a path in an event: expected names joined by dots, e.g. payload.pull_request.number`,
    );
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
 * A copy of `value` with `leaf` at a path; what the path does not touch is shared. What is no object on the way becomes one.
 * Throws `INVALID_PATH` where a segment is no index of an array, nor the next one.
 */
export function setPath(value: unknown, segments: readonly string[], leaf: unknown): unknown {
  const [segment, ...rest] = segments;
  if (segment === undefined) return leaf;
  if (Array.isArray(value)) {
    const index = Number(segment);
    if (!/^\d+$/.test(segment) || index > value.length) {
      throw new OrgLoopError(
        "INVALID_PATH",
        `"${segment}" is no index of an array of ${value.length}`,
      );
    }
    const copy = [...value];
    copy[index] = setPath(value[index], rest, leaf);
    return copy;
  }
  const object = typeof value === "object" && value !== null ? value : {};
  const child = Object.hasOwn(object, segment)
    ? (object as Record<string, unknown>)[segment]
    : undefined;
  return { ...object, [segment]: setPath(child, rest, leaf) };
}
