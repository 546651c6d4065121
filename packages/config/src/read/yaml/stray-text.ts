import { EVENT_ID } from "js-yaml";
import { type Node, startOf, type YamlEvents } from "./node-start.ts";

/** Directives but `%YAML 1.2`, and marks that are indented. */
const ODD_HEAD = /^(?:[ \t]+(?:---(?=\s|$)|%)|%(?!YAML 1\.2[ \t]*\r?$))/m;
const END_MARK = /^\.\.\.(?=\s|$)/gm;

/**
 * Where characters and marks stand on which readers differ wherever they stand; see `ambiguityOf`.
 */
export const strayText = (text: string, events: YamlEvents): number | null =>
  strayCharacter(text) ?? leadingTab(text, events) ?? strayMark(text, events);

/** A carriage return by itself, or a byte order mark that is not the first character. */
function strayCharacter(text: string): number | null {
  const at = text.includes("\r") ? text.search(/\r(?!\n)/) : -1;
  const offset = at === -1 ? text.indexOf("\uFEFF", 1) : at;
  return offset === -1 ? null : offset;
}

/** A tab before the text of a line. In a block scalar it may be text itself. */
function leadingTab(text: string, events: YamlEvents): number | null {
  if (!text.includes("\t")) return null;
  const blocks = events.filter((event) => event.type === EVENT_ID.SCALAR && event.indent >= 0);
  let next = 0;
  for (const { index, 0: match } of text.matchAll(/^[ ?:-]*\t/gm)) {
    const tab = index + match.length - 1;
    while (endOf(blocks[next]) <= tab) next++;
    const block = blocks[next];
    const isText =
      block?.type === EVENT_ID.SCALAR && block.valueStart <= index && tab - index >= block.indent;
    if (!isText) return tab;
  }
  return null;
}

const endOf = (event: YamlEvents[number] | undefined) =>
  event?.type === EVENT_ID.SCALAR ? event.valueEnd : Number.POSITIVE_INFINITY;

/** A directive, an indented beginning, an end before the text or a second one. */
function strayMark(text: string, events: YamlEvents): number | null {
  const first = events.find(({ type }) => type !== EVENT_ID.DOCUMENT && type !== EVENT_ID.POP);
  if (first === undefined || first.type === EVENT_ID.ALIAS) return null;
  const start = startOf(first as Node);
  const head = text.slice(0, Math.max(0, start)).search(ODD_HEAD);
  if (head !== -1) return head;
  if (!text.includes("...")) return null;
  const [end, second] = [...text.matchAll(END_MARK)];
  return end && end.index < start ? end.index : (second?.index ?? null);
}
