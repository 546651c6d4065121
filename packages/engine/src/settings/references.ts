import { isMapping } from "@orgloop/sdk";

/** True where `text` has a `${…}`: what it stands for is known only at the moment of use. */
export const holdsReference = (text: string): boolean => text.includes("${");

const REFERENCE = /\$\{[A-Za-z_][A-Za-z0-9_]*\}/;

/** What one reference of a text stands for, and where it stands in the text that is resolved. */
export interface Referenced {
  readonly value: string;
  readonly from: number;
}

/** What the references in a text stand for, by what stands around them. */
export function referenced(written: unknown, resolved: string): readonly Referenced[] {
  if (typeof written !== "string" || !holdsReference(written)) return [];
  const [first = "", ...others] = written.split(REFERENCE);
  let from = first.length;
  return others.map((behind, at) => {
    const last = at === others.length - 1;
    const to = last ? resolved.length - behind.length : resolved.indexOf(behind, from);
    const found = { value: resolved.slice(from, Math.max(from, to)), from };
    from += found.value.length + behind.length;
    return found;
  });
}

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
