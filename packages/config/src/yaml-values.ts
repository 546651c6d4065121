import { hasCode, isWrittenNumber, OrgLoopError } from "@orgloop/sdk";
import {
  CORE_SCHEMA,
  constructFromEvents,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  EVENT_ID,
  floatCoreTag,
  intCoreTag,
  mergeTag,
  parseEvents,
  type ScalarTagOptions,
  YAMLException,
} from "js-yaml";
import { costlyMerge } from "./costly-merge.ts";
import { keptNumber } from "./kept-number.ts";
import { readPlainYaml } from "./plain-yaml.ts";

/** Nesting beyond this is refused. */
const MAX_DEPTH = 64;
/** Aliases (`*name`) in one document. */
const MAX_ALIASES = 1_000;
/** Values that a document with aliases may have when they are written out. */
const MAX_EXPANDED = 100_000;

/** Values that merge keys may lead through, besides one for each character of the text. */
const MAX_MERGED = 10_000;

export type YamlEvents = ReturnType<typeof parseEvents>;

/** A document that cannot be read; `offset` is where in its text. */
export class YamlError extends OrgLoopError {
  readonly offset: number;

  constructor(code: string, message: string, offset: number, options?: ErrorOptions) {
    super(code, message, options);
    this.offset = offset;
  }
}

/** Segments that would reach an object's prototype: never a key, an id or part of a path. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set([
  "__proto__",
  "constructor",
  "prototype",
]);

function refusedValue(value: unknown): string {
  if (isWrittenNumber(value) && !Number.isFinite(Number(value.rawJSON))) {
    const { rawJSON: text } = value;
    const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    return `number: the number ${shown} is out of the range of a double: put it in quotes`;
  }
  if (typeof value !== "number") return "";
  if (!Number.isFinite(value)) return "number: .inf and .nan are no numbers that JSON can hold";
  return Number.isInteger(value) && !Number.isSafeInteger(value)
    ? "number: the number is too large to be kept in this form; write its digits, or put it in quotes"
    : "";
}

const strictMap = defineMappingTag<Record<string, unknown>>("tag:yaml.org,2002:map", {
  create: () => ({}),
  identify: () => false,
  addPair: (map, key, value) => {
    if (typeof key !== "string") {
      return `key: keys must be text; put ${typeof key === "object" ? "it" : String(key)} in quotes`;
    }
    if (FORBIDDEN_KEYS.has(key)) return `forbidden: the key "${key}" is not allowed`;
    map[key] = value;
    return refusedValue(value);
  },
  has: (map, key) => Object.hasOwn(map, String(key)),
  keys: (map) => Object.keys(map),
  get: (map, key) => map[String(key)],
});

const strictSequence = defineSequenceTag<unknown[]>("tag:yaml.org,2002:seq", {
  create: () => [],
  identify: () => false,
  addItem: (list, item) => {
    list.push(item);
    return refusedValue(item);
  },
});

const SCHEMA = CORE_SCHEMA.withTags(
  mergeTag,
  strictMap,
  strictSequence,
  defineScalarTag("tag:yaml.org,2002:int", keeping(intCoreTag)),
  defineScalarTag("tag:yaml.org,2002:float", keeping(floatCoreTag)),
);

/** A tag of numbers, by which those that a double would change are kept as they are written. */
function keeping(tag: typeof intCoreTag): ScalarTagOptions<unknown> {
  const { implicit, implicitFirstChars, resolve } = tag;
  return {
    implicit,
    implicitFirstChars,
    identify: () => false,
    resolve: (text, ...how) => {
      const value = resolve(text, ...how);
      return keptNumber(text) ?? value;
    },
  };
}

const REASONS: readonly (readonly [RegExp, string, string])[] = [
  [/^duplicated mapping key.*/, "duplicate-key", 'the key "$$KEY" stands twice in one mapping'],
  [/^tab characters.*/, "tab", "tabs cannot indent YAML: use spaces"],
  [/^unknown .*tag !<(.*)>/, "custom-tag", "the tag $1 is not allowed: only plain YAML values are"],
  [/^nesting exceeded.*/, "too-deep", `nested deeper than ${MAX_DEPTH} levels`],
  [/^(aliases exceeded|merge keys exceeded|abnormal merge).*/, "yaml-bomb", "too many aliases"],
  [/^number: (.*)/, "number", "$1"],
  [/^key: (.*)/, "non-text-key", "$1"],
  [/^forbidden: (.*)/, "forbidden-key", "$1"],
  [/^(.*)/, "yaml", "not valid YAML: $1"],
];

function explain(error: unknown, text: string): YamlError {
  if (!(error instanceof YAMLException)) {
    return new YamlError("yaml", `not valid YAML: ${String(error)}`, 0, { cause: error });
  }
  const offset = error.mark?.position ?? 0;
  const [pattern, code, form] = REASONS.find(([reason]) => reason.test(error.reason)) ?? [];
  const key = /^[^\s:]*/.exec(text.slice(offset, offset + 100))?.[0] ?? "";
  const message = pattern && form ? error.reason.replace(pattern, form) : error.reason;
  return new YamlError(
    code ?? "yaml",
    message.replace("$KEY", () => key),
    offset,
    { cause: error },
  );
}

/** The parser's events of `text`: where every value stands. Throws {@link YamlError}. */
export function readEvents(text: string): YamlEvents {
  try {
    return parseEvents(text, { maxDepth: MAX_DEPTH });
  } catch (error) {
    throw explain(error, text);
  }
}

/**
 * The one document in `text` as plain JSON values: YAML 1.2 core schema and merge keys (`<<`, which v1alpha1 projects may
 * use). Undefined where there is none. Bounded in depth, aliases and what they expand to. Throws {@link YamlError}.
 */
export function readYaml(text: string): unknown {
  return readPlainYaml(text) ?? readAnyYaml(text);
}

/** {@link readYaml} for a text that is not plain. */
export function readAnyYaml(text: string): unknown {
  const events = readEvents(text);
  const most = MAX_MERGED + text.length;
  const costly = text.includes("<<") ? costlyMerge(text, events, most) : null;
  if (costly !== null) {
    const message = `its merge keys (<<) expand to more than ${most} values: write out what is meant`;
    throw new YamlError("yaml-bomb", message, costly);
  }
  try {
    const documents = constructFromEvents(events, {
      source: text,
      schema: SCHEMA,
      maxAliases: MAX_ALIASES,
    });
    if (documents.length > 1) {
      const offset = text.indexOf("\n---", firstContent(events)) + 1;
      throw new YamlError("several-documents", "one file holds one document: take out ---", offset);
    }
    return events.some((event) => event.type === EVENT_ID.ALIAS)
      ? writtenOut(documents[0])
      : documents[0];
  } catch (error) {
    throw hasCode(error, "several-documents") || hasCode(error, "yaml-bomb")
      ? error
      : explain(error, text);
  }
}

function firstContent(events: YamlEvents): number {
  for (const event of events) {
    if ("valueStart" in event) return event.valueStart;
  }
  return 0;
}

/** Aliases share objects, and may share themselves: a copy that holds each value once, or an error. */
function writtenOut(root: unknown): unknown {
  let left = MAX_EXPANDED;
  const copy = (value: unknown, depth: number): unknown => {
    if (--left < 0 || depth > MAX_DEPTH) {
      throw new YamlError(
        "yaml-bomb",
        `its aliases expand to more than ${MAX_EXPANDED} values or ${MAX_DEPTH} levels`,
        0,
      );
    }
    if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1));
    if (typeof value !== "object" || value === null || isWrittenNumber(value)) return value;
    const mapping: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) mapping[key] = copy(item, depth + 1);
    return mapping;
  };
  return copy(root, 0);
}
