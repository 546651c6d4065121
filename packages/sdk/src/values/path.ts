import { OrgLoopError } from "../errors.ts";
import { isWrittenNumber } from "./json.ts";

const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);

/** Each `.` that no `\` stands before. */
const SEPARATOR = /(?<!\\)\./;

const segmentsOf = (path: string): readonly string[] =>
  path.includes("\\.")
    ? path.split(SEPARATOR).map((segment) => segment.replaceAll("\\.", "."))
    : path.split(".");

const isSegment = (segment: string) => segment !== "" && !FORBIDDEN.has(segment);

/**
 * A path in an event, split at its dots; a dot inside a key is written `\.`
 * (`docs/configuration.md`, Filters). Throws `INVALID_PATH` for an empty segment and for names that
 * reach a prototype.
 */
export function splitPath(path: string): readonly string[] {
  const segments = segmentsOf(path);
  if (!segments.every(isSegment)) {
    throw new OrgLoopError(
      "INVALID_PATH",
      `"${path}" is not a path in an event: expected names joined by dots, e.g. payload.pull_request.number`,
    );
  }
  return segments;
}

/** What most paths are, told faster. */
const PLAIN_PATH = /^[a-z]\w*(\.[a-z]\w*)*$/;

/** True for what {@link splitPath} splits. */
export function isPath(path: string): boolean {
  if (PLAIN_PATH.test(path) && !/proto|constr/.test(path)) return true;
  return segmentsOf(path).every(isSegment);
}

/**
 * One step of a path: an own property of an object, an index (or `length`) of an array; undefined
 * for anything else.
 */
export function childOf(value: unknown, segment: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, segment)) {
    return undefined;
  }
  // A number that is kept as it was written is a leaf, whatever JavaScript keeps it in.
  if (segment === "rawJSON" && isWrittenNumber(value)) return undefined;
  return (value as Record<string, unknown>)[segment];
}

/**
 * The value at exactly this path, own properties and array indices only; undefined where there is
 * none.
 */
export function getPath(value: unknown, segments: readonly string[]): unknown {
  let current = value;
  for (const segment of segments) {
    current = childOf(current, segment);
    if (current === undefined) return undefined;
  }
  return current;
}

/** The value at a path as it is written; undefined where there is none, or the path is none. */
export function valueAtPath(root: unknown, path: string): unknown {
  return isPath(path) ? getPath(root, splitPath(path)) : undefined;
}

/**
 * A copy of `value` with `leaf` at a path; what the path does not touch is shared. What is no
 * object on the way becomes one. Throws `INVALID_PATH` where a segment is no index of an array, nor
 * the next one.
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
  const object =
    typeof value === "object" && value !== null && !isWrittenNumber(value) ? value : {};
  const child = Object.hasOwn(object, segment)
    ? (object as Record<string, unknown>)[segment]
    : undefined;
  return { ...object, [segment]: setPath(child, rest, leaf) };
}
