import { isAscii } from "node:buffer";
import { createHash, hash } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { readYaml } from "./yaml-values.ts";

/** Texts below this are read faster than looked up. */
const LEAST_LENGTH = 16 * 1024;
/** Projects remembered; beyond that, the others go. */
const MOST_PROJECTS = 100;

/** The file is written anew when it has more than so many lines for each that is used. */
const MOST_STALE = 2;

/** What is remembered of one text. */
export interface CachedDocument {
  /** The text's: what else is remembered of it has keys made from this one. */
  readonly key: string;
  /** Read when it is asked for. */
  readonly value: unknown;
  /** The kind that it is valid as; null where that is not known. */
  valid: string | null;
  /** What it holds need not be written: something else is remembered that is asked for instead. */
  replaced?: boolean;
}

/** `stored`: what the file says of its kind; undefined where it does not have the text. */
interface UsedDocument {
  readonly entry: CachedDocument;
  readonly stored: string | null | undefined;
}

/**
 * Remembers what the texts of a project's large documents hold, so that a project of which one file changed is not read anew. Only ever
 * a shortcut: what cannot be read or written counts as absent.
 */
export interface DocumentCache {
  find(text: string): CachedDocument | undefined;
  /** Remembers a text that was read; undefined for one that is too short to be worth it. */
  add(text: string, value: unknown): CachedDocument | undefined;
  /** What `remember` was given with this key; undefined where there is nothing. */
  recall(key: string): unknown;
  remember(key: string, value: unknown): void;
  /** Writes what is new; now and then, forgets what was not asked for. */
  save(): void;
}

/** Changes with this folder, in which stands whatever decides what a text holds and whether it is valid. */
function fingerprint(): string {
  const own = import.meta.dirname;
  const states = readdirSync(own, { recursive: true, encoding: "utf8" }).map((name) => {
    const stats = statSync(join(own, name), { throwIfNoEntry: false });
    return `${name}:${stats?.mtimeMs}:${stats?.size}`;
  });
  return hash("sha256", states.join("\n"));
}

/** A text's line in the file: its key, the kind it is valid as, and its value as JSON. */
const lineOf = ({ key, valid, value, replaced }: CachedDocument) =>
  `${key} ${valid ?? ""} ${replaced ? "" : JSON.stringify(value)}\n`;

/** The lines of a file by their keys, the last of each; empty where there is none. One that was not written to its end is left out. */
function readLines(file: string): Map<string, string> {
  const lines = new Map<string, string>();
  try {
    const bytes = readFileSync(file);
    const text = bytes.toString(isAscii(bytes) ? "latin1" : "utf8");
    for (let at = 0; at < text.length; ) {
      const end = text.indexOf("\n", at) + 1;
      if (end === 0) break;
      if (end > at + 1) lines.set(text.slice(at, text.indexOf(" ", at)), text.slice(at, end));
      at = end;
    }
  } catch {
    // There is none yet.
  }
  return lines;
}

/** Undefined for what is no JSON: a damaged line. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** A cache in the file `name` of `directory`; both are made when something is to be remembered. */
export function documentCache(directory: string, name: string): DocumentCache {
  const file = join(directory, name);
  let version: string | undefined;
  let lines: Map<string, string> | undefined;
  const used = new Map<string, UsedDocument>();
  /** Of the text that was asked for last: it is added where it was not found. */
  let last = { text: "", key: "" };
  const keyOf = (text: string) => {
    if (last.text !== text) {
      version ??= fingerprint();
      last = { text, key: createHash("sha256").update(version).update(text).digest("hex") };
    }
    return last.key;
  };
  const known = () => {
    lines ??= readLines(file);
    return lines;
  };
  /** The parts of the line of `key`. */
  const partsOf = (key: string): { valid: string | null; json: string } | undefined => {
    const line = known().get(key);
    if (line === undefined) return undefined;
    const afterKind = line.indexOf(" ", key.length + 1);
    return {
      valid: line.slice(key.length + 1, afterKind) || null,
      json: line.slice(afterKind + 1),
    };
  };
  return {
    find(text) {
      if (text.length < LEAST_LENGTH) return undefined;
      const key = keyOf(text);
      const parts = partsOf(key);
      if (parts === undefined) return undefined;
      const { valid, json } = parts;
      let read: { readonly value: unknown } | undefined;
      const entry: CachedDocument = {
        key,
        get value() {
          read ??= { value: parsed(json) ?? readYaml(text) };
          return read.value;
        },
        valid,
      };
      used.set(key, { entry, stored: valid });
      return entry;
    },
    add(text, value) {
      if (text.length < LEAST_LENGTH) return undefined;
      const entry: CachedDocument = { key: keyOf(text), value, valid: null };
      used.set(entry.key, { entry, stored: undefined });
      return entry;
    },
    recall(key) {
      const value = parsed(partsOf(key)?.json ?? "");
      if (value !== undefined) used.set(key, { entry: { key, value, valid: null }, stored: null });
      return value;
    },
    remember(key, value) {
      used.set(key, { entry: { key, value, valid: null }, stored: undefined });
    },
    save() {
      const isFresh = ({ entry, stored }: UsedDocument) => entry.valid !== stored;
      const fresh = [...used].filter(([, one]) => isFresh(one));
      if (fresh.length === 0) return;
      const added = fresh.map(([, one]) => lineOf(one.entry)).join("");
      const before = known();
      try {
        if (before.size > 0 && before.size + fresh.length <= MOST_STALE * used.size) {
          // The line break ends a line that was not written to its end.
          appendFileSync(file, `\n${added}`, { mode: 0o600 });
          return;
        }
        const kept = [...used].map(([key, one]) => (isFresh(one) ? "" : (before.get(key) ?? "")));
        mkdirSync(directory, { recursive: true });
        const temporary = `${file}.${process.pid}`;
        writeFileSync(temporary, kept.join("") + added, { mode: 0o600 });
        renameSync(temporary, file);
        const all = readdirSync(directory);
        if (all.length <= MOST_PROJECTS) return;
        for (const other of all) {
          if (other !== name) rmSync(join(directory, other), { force: true });
        }
      } catch {
        // A full disk or a home that cannot be written costs time, not the load.
      }
    },
  };
}
