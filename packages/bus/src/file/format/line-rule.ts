import type { LineHead } from "./line.ts";

/**
 * What the lines of a segment must be, asked for one after another: what is wrong with this one, or
 * null.
 */
export type LineRule = (head: LineHead) => string | null;

/**
 * Of an ordinary segment: numbers rise by one from `from` on, a batch has the number of its first
 * line, the first line is an open.
 */
export function ordinaryRule(from: number): LineRule {
  let expected = from;
  let batch = 0;
  return (head) => {
    if (head.seq !== expected) return `it is number ${head.seq}, expected ${expected}`;
    if (head.batch !== expected && head.batch !== batch) {
      return `it is of batch ${head.batch}, expected ${batch === 0 ? "" : `${batch} or `}${expected}`;
    }
    if (expected === from ? head.kind !== "open" : head.kind === "compacted") {
      return `a line of kind "${head.kind}" may not stand here`;
    }
    if ((head.kind === "ack" || head.kind === "settle") && head.ref >= head.seq) {
      return `it refers to a later line, ${head.ref}`;
    }
    batch = head.batch;
    expected += 1;
    return null;
  };
}

/** Of a compacted segment: a line that says so, then lines with rising numbers of its range. */
export function compactedRule(from: number, through: number): LineRule {
  let last: number | null = null;
  return (head) => {
    if ((last === null) !== (head.kind === "compacted")) {
      return `a line of kind "${head.kind}" may not stand here`;
    }
    if (last === null) {
      last = from - 1;
      return head.seq === from ? null : `it is number ${head.seq}, expected ${from}`;
    }
    if (head.seq <= last || head.seq > through) return `number ${head.seq} may not stand here`;
    last = head.seq;
    return null;
  };
}
