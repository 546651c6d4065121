import type { DocumentPath } from "@orgloop/engine";
import { EVENT_ID, getScalarValue } from "js-yaml";
import { scalarStart } from "./node-start.ts";
import { readEvents } from "./read-yaml.ts";

/** One value of a document and where it stands. `start` is -1 where nothing is written (`key:`). */
interface PlacedValue {
  readonly start: number;
  readonly end: number;
  readonly entries?: Map<string, PlacedEntry>;
  readonly items?: PlacedValue[];
  /** What an alias stands for. */
  readonly target?: PlacedValue;
  /** Mappings merged in by `<<`. */
  merged?: PlacedValue;
}

interface PlacedEntry {
  readonly key: number;
  readonly value: PlacedValue;
}

/** Offsets in the text: `key` -1 in a list; `start` -1 where the value is not written. */
export interface Place {
  readonly key: number;
  readonly start: number;
  readonly end: number;
}

/** Where every value of one YAML text stands. */
export interface PositionIndex {
  /**
   * The place of the value at `path`, following aliases and merges; undefined where there is none.
   */
  place(path: DocumentPath): Place | undefined;
  /** The path of the last value that begins at `offset` or before it; empty where none does. */
  pathAt(offset: number): DocumentPath;
}

interface OpenCollection {
  readonly node: PlacedValue;
  key?: { readonly text: string; readonly start: number };
}

/**
 * Indexes `text`, which the YAML reader has accepted. Positions are the reader's own, so both
 * cannot disagree.
 */
export function indexPositions(text: string): PositionIndex {
  const root = placeValues(text);
  return {
    place(path) {
      let entry: PlacedEntry | undefined = root && { key: -1, value: root };
      for (const step of path) {
        if (entry === undefined) return undefined;
        entry = child(entry.value, step);
      }
      return entry && { key: entry.key, start: entry.value.start, end: entry.value.end };
    },
    pathAt: (offset) => pathAt(root, offset),
  };
}

function child(parent: PlacedValue, step: string | number): PlacedEntry | undefined {
  const node = parent.target ?? parent;
  if (typeof step === "number") {
    const value = node.items?.[step];
    return value && { key: -1, value };
  }
  const own = node.entries?.get(step);
  if (own || !node.merged) return own;
  const merged = node.merged.target ?? node.merged;
  for (const source of merged.items ?? [merged]) {
    const entry = child(source, step);
    if (entry) return entry;
  }
  return undefined;
}

function pathAt(root: PlacedValue | undefined, offset: number): DocumentPath {
  const path: (string | number)[] = [];
  for (let node = root; node !== undefined; ) {
    const children: [string | number, PlacedEntry][] = [
      ...(node.entries ?? []),
      ...(node.items ?? []).map((value, at): [number, PlacedEntry] => [at, { key: -1, value }]),
    ];
    const last = children.findLast(
      ([, { key, value }]) => (key === -1 ? value.start : key) <= offset,
    );
    if (last === undefined) break;
    path.push(last[0]);
    node = last[1].value;
  }
  return path;
}

function placeValues(text: string): PlacedValue | undefined {
  let root: PlacedValue | undefined;
  const anchors = new Map<string, PlacedValue>();
  const open: OpenCollection[] = [];

  const add = (node: PlacedValue, keyText: string | undefined) => {
    const parent = open.at(-1);
    if (parent === undefined) root ??= node;
    else if (parent.node.items) parent.node.items.push(node);
    else if (parent.key === undefined) parent.key = { text: keyText ?? "", start: node.start };
    else {
      const { text: key, start } = parent.key;
      delete parent.key;
      if (key === "<<") parent.node.merged = node;
      else parent.node.entries?.set(key, { key: start, value: node });
    }
  };

  for (const event of readEvents(text)) {
    if (event.type === EVENT_ID.DOCUMENT) continue;
    if (event.type === EVENT_ID.POP) {
      open.pop();
      continue;
    }
    if (event.type === EVENT_ID.ALIAS) {
      const target = anchors.get(text.slice(event.anchorStart, event.anchorEnd));
      add({ start: event.anchorStart - 1, end: event.anchorEnd, ...(target && { target }) }, "");
      continue;
    }
    let node: PlacedValue;
    if (event.type === EVENT_ID.SCALAR) {
      node = { start: scalarStart(event), end: event.valueEnd };
      add(node, getScalarValue(text, event));
    } else {
      const end = event.start;
      node =
        event.type === EVENT_ID.MAPPING
          ? { start: event.start, end, entries: new Map() }
          : { start: event.start, end, items: [] };
      add(node, "");
      open.push({ node });
    }
    if (event.anchorStart !== -1) {
      anchors.set(text.slice(event.anchorStart, event.anchorEnd), node);
    }
  }
  return root;
}

/** Turns offsets of `text` into line and column, both from 1. */
export function lineCounter(text: string): (offset: number) => { line: number; column: number } {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
