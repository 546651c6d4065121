import { createHash } from "node:crypto";
import { isWrittenNumber, type Topology } from "@orgloop/sdk";

const LISTS = { sources: "id", actors: "id", routes: "name", transforms: "name", loggers: "name" };

/** Objects that were written already: routes share what defaults fill in, and prompts. */
type Written = Map<object, string>;

/**
 * JSON with the keys of every object in the order of their UTF-16 code units, as RFC 8785 has them;
 * lists as they are.
 */
export function canonicalJson(value: unknown, written: Written = new Map()): string {
  if (typeof value !== "object" || value === null || isWrittenNumber(value)) {
    return JSON.stringify(value) ?? "null";
  }
  const known = written.get(value);
  if (known !== undefined) return known;
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value) text += (text === "" ? "" : ",") + canonicalJson(item, written);
    text = `[${text}]`;
  } else {
    const mapping = value as Record<string, unknown>;
    for (const key of Object.keys(mapping).sort()) {
      if (mapping[key] === undefined) continue;
      text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(mapping[key], written)}`;
    }
    text = `{${text}}`;
  }
  written.set(value, text);
  return text;
}

/** By code unit: the same on every machine, whatever its language. */
export const byText = (left: string, right: string): number =>
  left < right ? -1 : left > right ? 1 : 0;

/**
 * The one text of a topology: the same for the same configuration, in whatever files, order of keys
 * or comments it stands. Items are sorted by id or name, since the order of files is no difference
 * to what runs.
 */
export function canonicalTopology(topology: Topology): string {
  const sorted: Record<string, unknown> = { ...topology };
  for (const [list, identity] of Object.entries(LISTS)) {
    const items = topology[list as keyof typeof LISTS] as readonly object[];
    const nameOf = (item: object) => String(item[identity as keyof typeof item]);
    sorted[list] = items.toSorted((left, right) => byText(nameOf(left), nameOf(right)));
  }
  return canonicalJson(sorted);
}

/** SHA-256 of `canonicalTopology`, in lower-case hex. */
export function topologyHash(topology: Topology): string {
  return createHash("sha256").update(canonicalTopology(topology)).digest("hex");
}
