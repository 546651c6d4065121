import { SCALAR_STYLE } from "js-yaml";
import type { ScalarEvent } from "./node-start.ts";

/** The other forms are kept as they are written: `keptNumber`. */
const OCTAL_OR_HEXADECIMAL = /^0(?:o[0-7]+|x[\da-fA-F]+)$/;
/** Any such number beyond what a double holds is longer. */
const MIN_HUGE = 250;
/** In double quotes. */
const ESCAPED_EMPTY_LINE = /\\\r?\n[ \t]*\r?\n/;
const SPACES_AT_END = /(?:^|\n) +\s*$/;
/** The header of a block scalar that says how far it is indented. */
const TOLD_INDENT = /[|>][-+]?\d[-+]?(?:[ \t]+#[^\n]*|[ \t]*)\r?\n$/;
const SPACE = 32;
const NEWLINE = 10;
const RETURN = 13;
const HASH = 35;

/** Where readers differ on a scalar, see `ambiguityOf`. */
export function oddScalar(text: string, event: ScalarEvent, inFlow: boolean): number | null {
  const { style, valueStart, valueEnd, fast } = event;
  if (valueStart === -1) return null;
  if (style === SCALAR_STYLE.PLAIN) {
    const isHuge =
      valueEnd - valueStart >= MIN_HUGE && isHugeNumber(text.slice(valueStart, valueEnd));
    return isHuge || (inFlow && isBeforeComment(text, valueEnd)) ? valueStart : null;
  }
  if (fast || style === SCALAR_STYLE.SINGLE_QUOTED) return null;
  const raw = text.slice(valueStart, valueEnd);
  const odd =
    style === SCALAR_STYLE.DOUBLE_QUOTED
      ? ESCAPED_EMPTY_LINE.test(raw)
      : SPACES_AT_END.test(raw) && TOLD_INDENT.test(text.slice(0, valueStart));
  return odd ? valueStart : null;
}

const isHugeNumber = (value: string) =>
  OCTAL_OR_HEXADECIMAL.test(value) && !Number.isFinite(Number(value));

/**
 * Whether comments follow a plain scalar of a flow collection, of which one begins its line or one
 * parts a key from a colon without a space.
 */
function isBeforeComment(text: string, end: number): boolean {
  let at = end;
  while (text.charCodeAt(at) === SPACE) at++;
  const code = text.charCodeAt(at);
  if (code !== NEWLINE && code !== RETURN && code !== HASH) return false;
  const [skipped = ""] = /^(?:\s|#[^\n]*)*/.exec(text.slice(at)) ?? [];
  return skipped.includes("\n#") || /^:[^\s,[\]{}]/.test(text.slice(at + skipped.length));
}
