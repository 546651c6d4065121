import { hash } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** Texts below this are read faster than looked up. */
const LEAST_LENGTH = 16 * 1024;
/** Documents kept; beyond that, those of other loads go. */
const MOST_ENTRIES = 2_000;

/** What is remembered of one text. */
export interface CachedDocument {
  readonly value: unknown;
  /** The kind that it is valid as; null where that is not known. */
  valid: string | null;
}

/**
 * Remembers what the texts of large documents hold, so that a project of which one file changed is not read anew. Only ever a
 * shortcut: what cannot be read or written counts as absent.
 */
export interface DocumentCache {
  find(text: string): CachedDocument | undefined;
  /** Remembers a text that was read; undefined for one that is too short to be worth it. */
  add(text: string, value: unknown): CachedDocument | undefined;
  /** Writes what is new. */
  save(): void;
}

/** Changes with whatever decides what a text holds and whether it is valid. */
function fingerprint(): string {
  const own = import.meta.dirname;
  const deciding = readdirSync(join(own, "schema")).map((name) => join(own, "schema", name));
  for (const name of ["plain-yaml.ts", "yaml-values.ts", "validate-document.ts"]) {
    deciding.push(join(own, name));
  }
  return deciding
    .map((file) => {
      const stats = statSync(file, { throwIfNoEntry: false });
      return `${file}:${stats?.mtimeMs}:${stats?.size}`;
    })
    .join("\n");
}

/** A cache in `directory`, which is made when something is to be remembered. */
export function documentCache(directory: string): DocumentCache {
  let version: string | undefined;
  const used = new Map<string, { entry: CachedDocument; stored: string | null | undefined }>();
  /** Of the text that was asked for last: it is added where it was not found. */
  let last = { text: "", file: "" };
  const fileOf = (text: string) => {
    version ??= hash("sha256", fingerprint());
    if (last.text !== text) last = { text, file: `${version}-${hash("sha256", text)}.json` };
    return last.file;
  };
  return {
    find(text) {
      if (text.length < LEAST_LENGTH) return undefined;
      try {
        const file = fileOf(text);
        const entry = JSON.parse(readFileSync(join(directory, file), "utf8")) as CachedDocument;
        used.set(file, { entry, stored: entry.valid });
        return entry;
      } catch {
        return undefined;
      }
    },
    add(text, value) {
      if (text.length < LEAST_LENGTH) return undefined;
      const entry: CachedDocument = { value, valid: null };
      used.set(fileOf(text), { entry, stored: undefined });
      return entry;
    },
    save() {
      const fresh = [...used].filter(([, { entry, stored }]) => stored !== entry.valid);
      if (fresh.length === 0) return;
      try {
        mkdirSync(directory, { recursive: true });
        for (const [file, { entry }] of fresh) {
          const temporary = join(directory, `${file}.${process.pid}`);
          writeFileSync(temporary, JSON.stringify(entry), { mode: 0o600 });
          renameSync(temporary, join(directory, file));
        }
        const all = readdirSync(directory);
        if (all.length <= MOST_ENTRIES) return;
        for (const file of all) if (!used.has(file)) rmSync(join(directory, file), { force: true });
      } catch {
        // A full disk or a home that cannot be written costs time, not the load.
      }
    },
  };
}
