import { isMapping } from "@orgloop/sdk";

export { holdsReference } from "./holds-reference.ts";

/**
 * `value` with every `${NAME}` in its texts replaced from `env`, and the names that `env` lacks
 * (sorted; their references stay as written). For the moment of use: what it returns holds secrets.
 */
export function resolveReferences<Value>(
  value: Value,
  env: Readonly<Record<string, string | undefined>>,
): { value: Value; missing: string[] } {
  const missing = new Set<string>();
  const replace = (item: unknown): unknown => {
    if (typeof item === "string") {
      if (!item.includes("${")) return item;
      return item.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (reference, name: string) => {
        const found = env[name];
        if (found === undefined) missing.add(name);
        return found ?? reference;
      });
    }
    if (Array.isArray(item)) return item.map(replace);
    if (!isMapping(item)) return item;
    return Object.fromEntries(Object.entries(item).map(([key, inner]) => [key, replace(inner)]));
  };
  return { value: replace(value) as Value, missing: [...missing].sort() };
}
