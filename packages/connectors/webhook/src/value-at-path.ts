/** The value at a dot path, undefined where there is none. Own keys only: `__proto__` and `constructor` lead nowhere. */
export function valueAtPath(root: unknown, path: string): unknown {
  let value = root;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
