import { isDeepStrictEqual } from "node:util";
import { isSeq, type Pair, parseDocument, type Scalar, stringify, type YAMLSeq } from "yaml";
import { CommandError } from "../command-error.ts";

/**
 * The text of a manifest with one more entry at the end of the list under `key`. Everything else
 * stays as it is, byte for byte: comments, order, quotes. Only where a list is written so that
 * nothing can be put into it, the whole text is written anew, with its comments. Throws
 * `BAD_MANIFEST` for what is no YAML mapping.
 */
export function addToList(text: string, key: string, entry: unknown): string {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw new CommandError("BAD_MANIFEST", error.message, { cause: error });
  const before = document.toJS();
  const expected = { ...before, [key]: [...(before?.[key] ?? []), entry] };
  const edited = spliced(text, document, key, entry);
  if (edited !== null && holds(edited, expected)) return edited;
  if (Array.isArray(before?.[key])) document.addIn([key], entry);
  else document.set(key, [entry]);
  return document.toString({ lineWidth: 0 });
}

type Parsed = ReturnType<typeof parseDocument>;

/** Null where there is no place for it between the characters. */
function spliced(text: string, document: Parsed, key: string, entry: unknown): string | null {
  const breaks = text.includes("\r\n") ? "\r\n" : "\n";
  const pair = pairOf(document, key);
  if (pair === undefined) {
    const start = text === "" || text.endsWith("\n") ? text : `${text}${breaks}`;
    return `${start}${breaks}${key}:${breaks}${entryText(entry, "  ", breaks)}${breaks}`;
  }
  const { value } = pair;
  if (!isSeq(value)) {
    const end = pair.key.range?.[1];
    if (end === undefined) return null;
    return insertLines(text, end, entryText(entry, "  ", breaks), breaks);
  }
  return value.flow ? insertInFlow(text, value, entry) : insertInBlock(text, value, entry, breaks);
}

function pairOf(document: Parsed, name: string): Pair<Scalar, unknown> | undefined {
  const items = (document.contents as { items?: readonly Pair<Scalar, unknown>[] } | null)?.items;
  return items?.find(({ key }) => key.value === name);
}

function insertInBlock(text: string, list: YAMLSeq, entry: unknown, breaks: string): string | null {
  const start = list.range?.[0];
  const last = (list.items.at(-1) as { range?: readonly [number, number, number] }).range;
  if (start === undefined || !last) return null;
  const indent = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
  if (indent.trim() !== "") return null;
  let end = last[1];
  while (end > 0 && /\s/.test(text[end - 1] ?? "")) end -= 1;
  return insertLines(text, end, entryText(entry, indent, breaks), breaks);
}

function insertInFlow(text: string, list: YAMLSeq, added: unknown): string | null {
  const end = list.range?.[1];
  if (end === undefined) return null;
  const inside = text.slice(0, end - 1).trimEnd();
  const entry = stringify(added, { collectionStyle: "flow", lineWidth: 0 }).trim();
  return `${inside}${list.items.length === 0 ? "" : ","} ${entry}${/\s\]$/.test(text.slice(0, end)) ? " " : ""}${text.slice(end - 1)}`;
}

/** Puts lines after the one in which `offset` is, its comment included. */
function insertLines(text: string, offset: number, lines: string, breaks: string): string {
  const next = text.indexOf("\n", offset);
  if (next === -1) return `${text}${breaks}${lines}${breaks}`;
  return `${text.slice(0, next + 1)}${lines}${breaks}${text.slice(next + 1)}`;
}

function entryText(entry: unknown, indent: string, breaks: string): string {
  const [first, ...rest] = stringify(entry, { lineWidth: 0 }).trimEnd().split("\n");
  return [`${indent}- ${first}`, ...rest.map((line) => `${indent}  ${line}`)].join(breaks);
}

function holds(text: string, expected: unknown): boolean {
  const document = parseDocument(text);
  return document.errors.length === 0 && isDeepStrictEqual(document.toJS(), expected);
}
