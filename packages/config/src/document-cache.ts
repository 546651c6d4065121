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
import { basename, join } from "node:path";
import { crc32 } from "node:zlib";
import { parseJson } from "@orgloop/sdk";
import { isMapping } from "./document-path.ts";

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
  /** Of a text that was not known: the last one that was in its file; undefined where that is not known. */
  readonly previous?: Pick<CachedDocument, "value" | "valid"> | undefined;
}

/** `stored`: what the file says of its kind; undefined where it does not have the text. */
interface UsedDocument {
  readonly entry: CachedDocument;
  readonly stored: string | null | undefined;
  /** What stands for the file that it is the text of; "" for what was remembered by key. */
  readonly file: string;
}

/**
 * Remembers what the texts of a project's large documents hold, so that a project of which one file changed is not read anew. Only ever
 * a shortcut: what cannot be read or written counts as absent.
 */
export interface DocumentCache {
  find(text: string): CachedDocument | undefined;
  /**
   * Remembers the text of the file `absolute`, which was read; undefined for one that is too short to be worth it, and for one that
   * holds no mapping: no file should.
   */
  add(text: string, value: unknown, absolute: string): CachedDocument | undefined;
  /** What `remember` was given with this key; undefined where there is nothing. */
  recall(key: string): unknown;
  remember(key: string, value: unknown): void;
  /** Writes what is new; now and then, forgets what was not asked for. */
  save(): void;
}

/**
 * Changes with whatever decides what a text holds and whether it is valid: with this folder; in a bundle, whose files are named after what
 * they and all that they import hold, with the file that this is in.
 */
function fingerprint(): string {
  const { dirname, filename } = import.meta;
  const files = filename.endsWith(".ts")
    ? readdirSync(dirname, { recursive: true, encoding: "utf8" })
    : [basename(filename)];
  const states = files.map((name) => {
    const stats = statSync(join(dirname, name), { throwIfNoEntry: false });
    return `${name}:${stats?.mtimeMs}:${stats?.size}`;
  });
  return hash("sha256", states.join("\n"));
}

/** A line of the file: its key, the kind that a text is valid as, its file, the CRC-32 of all of it, and the value as JSON. */
function lineOf({ entry: { key, valid, value }, file }: UsedDocument): Buffer {
  const head = `${key} ${valid ?? ""} ${file}`;
  const json = Buffer.from(JSON.stringify(value));
  return Buffer.concat([Buffer.from(`${head} ${crcOf(head, json)} `), json, NEWLINE]);
}

const crcOf = (head: string, json: Buffer) => crc32(json, crc32(head));

const NEWLINE = Buffer.from("\n");

/** The lines of a file by their keys, the last of each; empty where there is none. One that was not written to its end is left out. */
function readLines(file: string): Map<string, Buffer> {
  const lines = new Map<string, Buffer>();
  try {
    const bytes = readFileSync(file);
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf("\n", at) + 1;
      if (end === 0) break;
      const afterKey = bytes.indexOf(" ", at);
      if (afterKey < end)
        lines.set(bytes.toString("latin1", at, afterKey), bytes.subarray(at, end));
      at = end;
    }
  } catch {
    // There is none yet.
  }
  return lines;
}

interface LineParts {
  readonly key: string;
  readonly valid: string | null;
  readonly file: string;
  readonly json: Buffer;
}

const LONGEST_HEAD = 256;

/** Key, kind, file and CRC-32. */
const headOf = (line: Buffer) => line.toString("latin1", 0, LONGEST_HEAD).split(" ", 4);

/** Undefined for a damaged line. */
function partsOf(line: Buffer | undefined): LineParts | undefined {
  if (line === undefined) return undefined;
  const head = headOf(line);
  const [key = "", valid = "", file = "", crc] = head;
  const json = line.subarray(head.join(" ").length + 1, -1);
  const whole = crcOf(`${key} ${valid} ${file}`, json);
  return whole === Number(crc) ? { key, valid: valid || null, file, json } : undefined;
}

/** What a line holds; read when it is asked for. */
function lineEntry({ key, valid, json }: LineParts): CachedDocument {
  let read: { readonly value: unknown } | undefined;
  return {
    key,
    valid,
    get value() {
      read ??= { value: parseJson(json) };
      return read.value;
    },
  };
}

/**
 * A cache in the file `name` of `directory`; both are made when something is to be remembered. `versionOf` tells what reads the texts;
 * what another version remembers counts as absent.
 */
export function documentCache(
  directory: string,
  name: string,
  versionOf: () => string = fingerprint,
): DocumentCache {
  const file = join(directory, name);
  let version: string | undefined;
  let lines: Map<string, Buffer> | undefined;
  let byFile: Map<string | undefined, Buffer> | undefined;
  const used = new Map<string, UsedDocument>();
  /** Of the text that was asked for last: it is added where it was not found. */
  let last = { text: "", key: "" };
  const keyOf = (text: string) => {
    if (last.text !== text) {
      version ??= versionOf();
      last = { text, key: createHash("sha256").update(version).update(text).digest("hex") };
    }
    return last.key;
  };
  const known = () => {
    lines ??= readLines(file);
    return lines;
  };
  const previousOf = (file: string) => {
    byFile ??= new Map([...known().values()].map((line) => [headOf(line)[2], line]));
    const parts = partsOf(byFile.get(file));
    if (parts === undefined) return undefined;
    const { valid, value } = lineEntry(parts);
    return { valid, value };
  };
  return {
    find(text) {
      if (text.length < LEAST_LENGTH) return undefined;
      const key = keyOf(text);
      const parts = partsOf(known().get(key));
      if (parts === undefined) return undefined;
      const entry = lineEntry(parts);
      used.set(key, { entry, stored: parts.valid, file: parts.file });
      return entry;
    },
    add(text, value, absolute) {
      if (text.length < LEAST_LENGTH || !isMapping(value)) return undefined;
      const key = keyOf(text);
      // What another version took for valid need not be.
      const file = hash("sha256", `${version} ${absolute}`).slice(0, 16);
      const entry = { key, value, valid: null, previous: previousOf(file) };
      used.set(key, { entry, stored: undefined, file });
      return entry;
    },
    recall(key) {
      const parts = partsOf(known().get(key));
      if (parts === undefined) return undefined;
      const entry = lineEntry(parts);
      used.set(key, { entry, stored: parts.valid, file: parts.file });
      return entry.value;
    },
    remember(key, value) {
      used.set(key, { entry: { key, value, valid: null }, stored: undefined, file: "" });
    },
    save() {
      const isFresh = ({ entry, stored }: UsedDocument) => entry.valid !== stored;
      const fresh = [...used].filter(([, one]) => isFresh(one));
      if (fresh.length === 0) return;
      const added = fresh.map(([, one]) => lineOf(one));
      const before = known();
      try {
        if (before.size > 0 && before.size + fresh.length <= MOST_STALE * used.size) {
          // The line break ends a line that was not written to its end.
          appendFileSync(file, Buffer.concat([NEWLINE, ...added]), { mode: 0o600 });
          return;
        }
        const kept = [...used].flatMap(([key, one]) =>
          isFresh(one) ? [] : (before.get(key) ?? []),
        );
        mkdirSync(directory, { recursive: true });
        const temporary = `${file}.${process.pid}`;
        writeFileSync(temporary, Buffer.concat([...kept, ...added]), { mode: 0o600 });
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
