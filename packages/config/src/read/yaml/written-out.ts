import { isWrittenNumber } from "@orgloop/sdk";
import { MAX_DEPTH, YamlError } from "./yaml-error.ts";

/** Values that a document with aliases may have when they are written out. */
const MAX_EXPANDED = 100_000;

/**
 * Aliases share objects, and may share themselves: a copy that holds each value once. Throws
 * `YamlError` with `yaml-bomb`.
 */
export function writtenOut(root: unknown): unknown {
  let left = MAX_EXPANDED;
  const copy = (value: unknown, depth: number): unknown => {
    if (--left < 0 || depth > MAX_DEPTH) {
      const message = `its aliases expand to more than ${MAX_EXPANDED} values or ${MAX_DEPTH} levels`;
      throw new YamlError("yaml-bomb", message, 0);
    }
    if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1));
    if (typeof value !== "object" || value === null || isWrittenNumber(value)) return value;
    const mapping: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) mapping[key] = copy(item, depth + 1);
    return mapping;
  };
  return copy(root, 0);
}
