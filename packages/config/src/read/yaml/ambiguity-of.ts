import { COLLECTION_STYLE, EVENT_ID } from "js-yaml";
import { beginsLine, type Node, startOf, type YamlEvents } from "./node-start.ts";
import { oddScalar } from "./odd-scalar.ts";
import { strayText } from "./stray-text.ts";

type Marked = Extract<YamlEvents[number], { readonly anchorStart: number }>;

/** A collection that is being read, or the document. */
interface Frame {
  readonly start: number;
  readonly inFlow: boolean;
  readonly isMapping: boolean;
  /** Whether a key comes next; false in a list. */
  expectsKey: boolean;
}

const SCALAR_TAG = /^!!(str|int|bool|null)$/;
const COLLECTION_TAG = /^!!(seq|map)$/;
const ANCHOR = /^[\w./-]+$/;
/** YAML 1.2 lets an implicit key have so many characters. */
const LONGEST_KEY = 1024;

/**
 * Where `text`, of which js-yaml gave `events`, holds what readers of YAML are known to take for
 * different things, or what js-yaml takes although YAML 1.2 does not: tabs that indent, carriage
 * returns by themselves, unusual tags and anchors and the like. Null where nothing does: then the
 * `yaml` package, an independent reader, finds the same values (property test).
 */
export const ambiguityOf = (text: string, events: YamlEvents): number | null =>
  strayText(text, events) ?? oddEvent(text, events);

function oddEvent(text: string, events: YamlEvents): number | null {
  let frame: Frame = { start: 0, inFlow: false, isMapping: false, expectsKey: false };
  const outer: Frame[] = [];
  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) outer.push(frame);
    else if (event.type === EVENT_ID.POP) frame = outer.pop() as Frame;
    else {
      const isKey = frame.expectsKey;
      frame.expectsKey = frame.isMapping && !isKey;
      const isAlias = event.type === EVENT_ID.ALIAS;
      const odd = oddAnchor(text, event) ?? (isAlias ? null : oddNode(text, event, frame, isKey));
      if (odd !== null) return odd;
      if (isAlias || event.type === EVENT_ID.SCALAR) continue;
      const isMapping = event.type === EVENT_ID.MAPPING;
      outer.push(frame);
      const inFlow = event.style === COLLECTION_STYLE.FLOW;
      frame = { start: event.start, inFlow, isMapping, expectsKey: isMapping };
    }
  }
  return null;
}

function oddNode(text: string, node: Node, frame: Frame, isKey: boolean): number | null {
  const isScalar = node.type === EVENT_ID.SCALAR;
  const odd = oddTag(text, node, frame) ?? (isScalar ? oddScalar(text, node, frame.inFlow) : null);
  if (odd !== null || !isKey) return odd;
  const start = startOf(node);
  const isLong = isScalar && node.valueEnd - start > LONGEST_KEY;
  return isLong || (!frame.inFlow && !beginsLine(text, start)) ? start : null;
}

function oddAnchor(text: string, event: Marked): number | null {
  const { anchorStart, anchorEnd } = event;
  if (anchorStart === -1) return null;
  const isApart = event.type === EVENT_ID.ALIAS || /\s/.test(text[anchorEnd] ?? " ");
  return isApart && ANCHOR.test(text.slice(anchorStart, anchorEnd)) ? null : anchorStart - 1;
}

/** A tag beside those of the core schema, one of nothing, and an anchor of nothing. */
function oddTag(text: string, node: Node, frame: Frame): number | null {
  const { tagStart, tagEnd } = node;
  const isScalar = node.type === EVENT_ID.SCALAR;
  if (isScalar && node.valueStart === -1) {
    const start = startOf(node);
    return start === -1 ? null : start;
  }
  if (tagStart === -1) return null;
  if (isScalar && text.startsWith("<<", node.valueStart)) return frame.start;
  const allowed = isScalar ? SCALAR_TAG : COLLECTION_TAG;
  if (allowed.test(text.slice(tagStart, tagEnd))) return null;
  return isScalar ? node.valueStart : node.start;
}
