import { holdsReference } from "./holds-reference.ts";

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
