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
