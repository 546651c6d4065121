import { EVENT_ID, SCALAR_STYLE } from "js-yaml";
import { readEvents } from "./read-yaml.ts";

/** A value that YAML takes for a comment: `channel: #ops`. */
export interface SwallowedValue {
  /** Of the `#`. */
  readonly offset: number;
  /** `#ops` */
  readonly text: string;
}

const LIKELY = /[:-][ \t]+#[^\s#]/;
/** After the key, its closing quote included, or after what stands before a list's item. */
const BEHIND = /^["']?(?:\s*:|(?:[ \t]*(?:#[^\n]*)?\r?\n)*\s*-)[ \t]+(#[^\s#][^\n]*)/;

/**
 * The values that are missing where a comment follows without a space: most likely they were meant
 * to be texts. Of a text that the YAML reader has accepted.
 */
export function swallowedValues(text: string): readonly SwallowedValue[] {
  if (!LIKELY.test(text)) return [];
  const found: SwallowedValue[] = [];
  let end = 0;
  for (const event of readEvents(text)) {
    if (event.type === EVENT_ID.SCALAR) {
      const { style, valueStart, valueEnd } = event;
      if (valueStart !== -1) end = valueEnd;
      else if (style === SCALAR_STYLE.PLAIN) {
        const [whole, comment] = BEHIND.exec(text.slice(end, end + 2_000)) ?? [];
        if (whole === undefined || comment === undefined) continue;
        const offset = end + whole.length - comment.length;
        found.push({ offset, text: comment.trimEnd() });
        end = offset;
      }
    } else if ("start" in event && event.start >= 0) end = event.start;
  }
  return found;
}
