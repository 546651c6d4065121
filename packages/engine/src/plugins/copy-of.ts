/**
 * A copy that shares nothing that could be changed. Of JSON values; what is neither a list nor a
 * plain object stays itself.
 */
export function copyOf<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(copyOf) as Value;
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    // A key of JSON may be `__proto__`.
    if (key === "__proto__") Object.defineProperty(copy, key, { ...OWN, value: copyOf(inner) });
    else copy[key] = copyOf(inner);
  }
  return copy as Value;
}

const OWN = { enumerable: true, configurable: true, writable: true };
