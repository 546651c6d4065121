import { diff } from "node:util";
import { counted } from "../terminal/counted.ts";

/** Beyond this only the sizes are told: comparing takes time with the square of the differences. */
const MAX_LINES = 2_000;
const SHOWN_LINES = 6;
const WIDTH = 100;

/** What happened to a text of several lines: a heading, and the first lines that went or came. */
export interface TextChange {
  /** e.g. `2 lines added, 1 removed`. */
  readonly heading: string;
  /** `- old` and `+ new`, cut where there are many. */
  readonly lines: readonly string[];
}

export function textChange(from: string, to: string, shown = SHOWN_LINES): TextChange {
  const [before, after] = [from.split("\n"), to.split("\n")];
  if (before.length > MAX_LINES || after.length > MAX_LINES) {
    return { heading: `changed (${before.length} → ${after.length} lines)`, lines: [] };
  }
  // util.diff says 1 for what only its first argument has.
  const changed = diff(before, after).filter(([operation]) => operation !== 0);
  const added = changed.filter(([operation]) => operation === -1).length;
  const removed = changed.length - added;
  const parts = [
    ...(added > 0 ? [`${added} ${added === 1 ? "line" : "lines"} added`] : []),
    ...(removed > 0
      ? [`${removed}${added > 0 ? "" : removed === 1 ? " line" : " lines"} removed`]
      : []),
  ];
  const lines = changed
    .slice(0, shown)
    .map(([operation, line]) => `${operation === -1 ? "+" : "-"} ${cut(line)}`);
  const rest = changed.length - lines.length;
  return {
    heading: parts.join(", "),
    lines: rest > 0 ? [...lines, `… and ${counted(rest, "more line")}`] : lines,
  };
}

/**
 * The line within {@link WIDTH}, control characters escaped: a prompt must not steer the terminal.
 */
function cut(line: string): string {
  const text = line.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ");
  return text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text;
}
