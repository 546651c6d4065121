import { holdsReference, nearest } from "@orgloop/engine";
import {
  DURATION_PATTERN,
  isMapping,
  isPath,
  parseDuration,
  RATE_PATTERN,
  SIZE_PATTERN,
} from "@orgloop/sdk";
import * as z from "zod";
import { FORBIDDEN_KEYS } from "../read/yaml/forbidden-keys.ts";

// The message of every schema here says what is expected; `describeIssue` adds what was found.

/**
 * A value that holds `${…}` is not checked for its format: it is known only at the moment of use.
 */
const REFERENCE = "\\$\\{";

/**
 * A mapping that knows all its keys; a key it does not know is an error with the nearest one that
 * it does.
 */
export function mapping<Shape extends z.ZodRawShape>(shape: Shape) {
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key: string) => unknownKey(key, keys)).join("\n")
        : `a mapping with ${keys.slice(0, 6).join(", ")}${keys.length > 6 ? " …" : ""}`,
  });
}

export function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return near === undefined
    ? `unknown key "${key}"; known are: ${known.join(", ")}`
    : `unknown key "${key}": did you mean "${near}"?`;
}

export const text = (expected = "text") => z.string({ error: expected });

/** Free text with a form; `${…}` passes. */
export function form(pattern: RegExp, expected: string, holds: (value: string) => boolean) {
  return z
    .string({ error: expected })
    .refine((value) => holdsReference(value) || holds(value), { error: expected })
    .meta({ pattern: `${REFERENCE}|${pattern.source}` });
}

/** `30s`, above zero unless `from` is 0. */
export function duration(from: 0 | 1 = 1) {
  const expected = `a duration${from === 1 ? " above 0" : ""}: a whole number and ms, s, m, h or d, e.g. 30s`;
  return form(DURATION_PATTERN, expected, (value) => {
    if (!DURATION_PATTERN.test(value)) return false;
    const ms = parseDuration(value);
    return ms >= from && Number.isSafeInteger(ms);
  });
}

export const size = () =>
  form(SIZE_PATTERN, "a size: a whole number and B, KB, MB or GB, e.g. 64mb", (value) =>
    SIZE_PATTERN.test(value),
  ).meta({ pattern: `${REFERENCE}|^(\\d+)\\s*([bB]|[kKmMgG][bB])$` });

export const rate = () =>
  form(
    RATE_PATTERN,
    "a rate: a whole number above 0 and /s, /m or /h, e.g. 100/s",
    (value) => RATE_PATTERN.test(value) && Number.parseInt(value, 10) > 0,
  );

/**
 * A whole number, at least `least`. It is a number, not a form: `${…}` of the environment is text
 * and does not fit.
 */
export function count(least: number) {
  const expected = `a whole number, at least ${least}`;
  return z.int({ error: expected }).min(least, { error: expected });
}

/** One of `values`, with the nearest in the message; `${…}` passes. */
export function oneOf<const Value extends string>(values: readonly Value[]) {
  const expected = values.length > 1 ? `one of ${values.join(", ")}` : `${values[0]}`;
  const schema = z
    .string({ error: expected })
    .refine((value) => holdsReference(value) || (values as readonly string[]).includes(value), {
      error: expected,
      params: { values },
    })
    .meta({ anyOf: [{ enum: [...values] }, { pattern: REFERENCE }] });
  return schema as unknown as z.ZodType<Value, Value>;
}

export const flag = () => z.boolean({ error: "true or false" });

const NAME = /^[^\s\p{C}]([^\p{C}]*[^\s\p{C}])?$/u;
/** What nearly every name is, told faster. */
const PLAIN_NAME = /^[A-Za-z0-9_][\w./@-]*$/;

/**
 * An id or a name. It is needed while loading, so that `${…}` of the environment cannot stand in
 * it.
 */
export function name(expected = "a name") {
  const full = `${expected}: text without line breaks, at most 200 characters`;
  const known = `${expected}, known while loading: \${vars.NAME} can stand here, the environment cannot`;
  return z
    .string({ error: expected })
    .refine(isName, {
      error: ({ input }) => (holdsReference(String(input)) ? known : full),
    })
    .meta({ minLength: 1, maxLength: 200 });
}

const isName = (value: string): boolean =>
  value.length <= 200 &&
  (PLAIN_NAME.test(value) ||
    (NAME.test(value) && value !== "." && value !== ".." && !holdsReference(value))) &&
  !FORBIDDEN_KEYS.has(value);

const WORKSPACE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
export const isWorkspaceName = (text: string): boolean => WORKSPACE.test(text);

/** The name of a workspace: a folder's, and on AWS a stage's. */
export function workspaceName() {
  const expected = "a workspace's name: letters, digits, - and _, at most 63";
  return z
    .string({ error: expected })
    .refine(isWorkspaceName, { error: expected })
    .meta({ pattern: WORKSPACE.source });
}

const PACKAGE = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

/** The name of an npm package. */
export const packageName = (example: string) => {
  const expected = `the name of an npm package, e.g. "@orgloop/${example}"`;
  return z
    .string({ error: expected })
    .refine((value) => value.length <= 214 && PACKAGE.test(value), { error: expected })
    .meta({ pattern: PACKAGE.source });
};

/** Segments joined by dots; a dot inside a segment is `\.`. */
const EVENT_PATH = /^(?:\\\.|\\(?!\.)|[^.\\])+(?:\.(?:\\\.|\\(?!\.)|[^.\\])+)*$/;

/** A dot path in the event, e.g. `payload.pull_request.number`. */
export const eventPath = () => {
  const expected = "a path in the event, e.g. payload.pull_request.number";
  return form(EVENT_PATH, expected, isPath);
};

/** A path of a file inside the project. */
export const filePath = (expected = "the path of a file in the project") => {
  return z
    .string({ error: expected })
    .refine((value) => value !== "" && !holdsReference(value), { error: expected })
    .meta({ minLength: 1 });
};

/** A list; a key without a value (`routes:`) is an empty one. */
export const list = <Item extends z.ZodType>(item: Item, of: string) =>
  z.array(item, { error: `a list of ${of}` }).nullish();

/** One, or a list of at least one. */
export function oneOrMore<Item extends z.ZodType>(item: Item, expected: string) {
  // The list first: it is the more frequent form, and a union stops at the first that fits.
  return z.union([z.array(item, { error: expected }).min(1, { error: expected }), item], {
    error: expected,
  });
}

/**
 * Free keys and values, e.g. a connector's `config`; a key without a value is an empty one. Not
 * copied: this is hot.
 */
export const freeMapping = () =>
  z
    .unknown()
    .refine((value) => value === undefined || value === null || isMapping(value), {
      error: "a mapping",
    })
    .meta({ type: ["object", "null"] })
    .optional() as unknown as z.ZodOptional<
    z.ZodType<Record<string, unknown> | null, Record<string, unknown> | null>
  >;

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Names of environment variables, or names with their values; a key without a value is an empty
 * list.
 */
export function childEnvironment() {
  const name = "the name of an environment variable";
  const expected = "a list of names of environment variables, or a mapping of name to value";
  const names = z.string({ error: name }).regex(VARIABLE, { error: name });
  const value = z.union([z.string(), z.number(), z.boolean()], { error: "text" });
  return z.union([z.array(names), z.record(names, value)], { error: expected }).nullish();
}

export const labels = () =>
  z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()], { error: "text" }), {
      error: "a mapping of label to text",
    })
    .nullish()
    .describe("Labels for people and tools; they do not change what happens.");

export const enabled = () =>
  flag().optional().describe("false leaves the item out. Default: true.");

const constant = (value: string) => z.literal(value, { error: value });

/** The head of every document. */
export const head = (kind: string) => ({
  apiVersion: constant("orgloop/v1alpha1").describe("Version of the language."),
  kind: constant(kind).describe("What the file holds."),
});

/** A group's `metadata`: for people. */
export const metadata = () =>
  mapping({
    name: text().optional().describe("Name of the group, for people."),
    description: text().optional().describe("What the group is for."),
  })
    .nullish()
    .describe("Name and description of the group, for people.");
