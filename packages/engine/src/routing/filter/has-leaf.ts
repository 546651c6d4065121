import { childOf, isWrittenNumber } from "@orgloop/sdk";

/** True for what a filter's operators look at: text, a number, true, false, null. */
export function isLeaf(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return isWrittenNumber(value);
  return value !== undefined;
}

/**
 * True where a path leads to a leaf: at an array by an index or into any of its elements
 * (EventBridge takes arrays apart), on the way and at its end.
 */
export function hasLeaf(value: unknown, path: readonly string[], from = 0): boolean {
  const segment = path[from];
  if (Array.isArray(value)) {
    if (segment !== undefined && hasLeaf(childOf(value, segment), path, from + 1)) return true;
    return value.some((element) => hasLeaf(element, path, from));
  }
  if (segment === undefined) return isLeaf(value);
  if (value === undefined) return false;
  return hasLeaf(childOf(value, segment), path, from + 1);
}
