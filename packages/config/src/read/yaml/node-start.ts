import { EVENT_ID, type parseEvents, SCALAR_STYLE } from "js-yaml";

export type YamlEvents = ReturnType<typeof parseEvents>;

export type ScalarEvent = Extract<YamlEvents[number], { readonly valueStart: number }>;
type CollectionEvent = Extract<YamlEvents[number], { readonly start: number }>;
export type Node = CollectionEvent | ScalarEvent;

const NEWLINE = 10;
const SPACE = 32;
const DASH = 45;
const COLON = 58;
const QUESTION = 63;
const BYTE_ORDER_MARK = 0xfeff;

/** Where the value of a scalar begins, its quote included; -1 where nothing is written. */
export function scalarStart({ style, valueStart }: ScalarEvent): number {
  const isQuoted = style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED;
  return isQuoted ? valueStart - 1 : valueStart;
}

/** Where a node begins, its tag and anchor included; -1 where nothing is written. */
export function startOf(node: Node): number {
  const { tagStart, anchorStart } = node;
  let start = node.type === EVENT_ID.SCALAR ? scalarStart(node) : node.start;
  if (tagStart !== -1 && (start === -1 || tagStart < start)) start = tagStart;
  if (anchorStart !== -1 && (start === -1 || anchorStart <= start)) start = anchorStart - 1;
  return start;
}

/** Whether nothing but indicators (`- `, `? `, `: `) stands before `offset` on its line. */
export function beginsLine(text: string, offset: number): boolean {
  for (let at = offset - 1; at >= 0; at--) {
    const code = text.charCodeAt(at);
    if (code === NEWLINE || code === BYTE_ORDER_MARK) return true;
    if (code === SPACE) continue;
    const isIndicator = code === DASH || code === COLON || code === QUESTION;
    if (!isIndicator || text.charCodeAt(at + 1) !== SPACE) return false;
  }
  return true;
}
