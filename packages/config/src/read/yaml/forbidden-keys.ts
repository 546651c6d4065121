/** Segments that would reach an object's prototype: never a key, an id or part of a path. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set([
  "__proto__",
  "constructor",
  "prototype",
]);
