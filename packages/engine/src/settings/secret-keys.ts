import { isMapping, type StandardSchema } from "@orgloop/sdk";
import { distance } from "fastest-levenshtein";
import { type DocumentPath, formatPath } from "./document-path.ts";
import { jsonSchemaOf, referred } from "./json-schema-of.ts";

/**
 * The way to a key that a schema marks secret; `*` is any item of a list and any key of a free
 * mapping.
 */
export type SecretKey = readonly string[];

/**
 * `true`: all that stands there is secret. `"references"`: what the references in it stand for is,
 * as in headers and variables, most of which are no secrets (`.meta({ secret: "references" })`).
 */
type SecretMark = true | "references";

const known = new WeakMap<object, ReadonlyMap<SecretMark, readonly SecretKey[]>>();

/**
 * The keys of a plugin's `config` that its schema marks secret: `secret: true` (zod's `.meta({
 * secret: true })`), or JSON Schema's own `writeOnly: true` and `format: password`. Read from the
 * schema's JSON Schema (standardschema.dev, Standard JSON Schema); none where it has no such form.
 */
export function secretKeys(schema: StandardSchema): readonly SecretKey[] {
  return markedKeys(schema, true);
}

function markedKeys(schema: StandardSchema, mark: SecretMark): readonly SecretKey[] {
  const keys = known.get(schema) ?? allMarkedKeys(schema);
  known.set(schema, keys);
  return keys.get(mark) ?? [];
}

function allMarkedKeys(schema: StandardSchema): ReadonlyMap<SecretMark, readonly SecretKey[]> {
  const keys = new Map<SecretMark, Map<string, SecretKey>>();
  const root = jsonSchemaOf(schema);
  collect(root, [], { root, within: new Set() }, (key, mark) => {
    const marked = keys.get(mark) ?? new Map();
    keys.set(mark, marked.set(key.join("\0"), key));
  });
  return new Map([...keys].map(([mark, found]) => [mark, [...found.values()]]));
}

/** A value under a key that is marked secret. */
export interface SecretValue {
  readonly path: DocumentPath;
  readonly value: unknown;
}

/** What stands in `config` under keys that `schema` marks secret; of a list of secrets, each. */
export function secretsIn(schema: StandardSchema, config: unknown): SecretValue[] {
  return secretKeys(schema).flatMap((key) => valuesAt(config, key, []));
}

/** The texts of secrets in `config`, however deep below a marked key, and where they stand. */
export function secretTextsIn(schema: StandardSchema, config: unknown): SecretText[] {
  const texts = secretsIn(schema, config).flatMap(({ path, value }) => textsIn(value, path));
  // A list that is marked, and each of its items: the same text twice.
  return [...new Map(texts.map((text) => [formatPath(text.path), text])).values()];
}

export interface SecretText extends SecretValue {
  readonly value: string;
}

function textsIn(value: unknown, path: DocumentPath): SecretText[] {
  if (typeof value === "string") return [{ path, value }];
  if (Array.isArray(value)) return value.flatMap((item, at) => textsIn(item, [...path, at]));
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => textsIn(item, [...path, key]));
}

/** What stands in `config` where `schema` says that references are secrets. */
export function referencesIn(schema: StandardSchema, config: unknown): SecretValue[] {
  return markedKeys(schema, "references").flatMap((key) => valuesAt(config, key, []));
}

function valuesAt(value: unknown, [step, ...rest]: SecretKey, path: DocumentPath): SecretValue[] {
  if (step === undefined) return value === undefined ? [] : [{ path, value }];
  if (step === "*" && Array.isArray(value)) {
    return value.flatMap((item, at) => valuesAt(item, rest, [...path, at]));
  }
  if (!isMapping(value)) return [];
  const names = step === "*" ? Object.keys(value) : Object.hasOwn(value, step) ? [step] : [];
  return names.flatMap((name) => valuesAt(value[name], rest, [...path, name]));
}

/** Keys of a schema that hold a list of schemas for the same value. */
const UNIONS = ["anyOf", "oneOf", "allOf"] as const;

interface Within {
  readonly root: unknown;
  /** The references that led here: one of them again is a schema that holds itself. */
  readonly within: ReadonlySet<string>;
}

function collect(
  schema: unknown,
  path: SecretKey,
  from: Within,
  add: (key: SecretKey, mark: SecretMark) => void,
): void {
  if (!isMapping(schema)) return;
  const { secret, writeOnly, format, properties, items, additionalProperties, prefixItems, $ref } =
    schema;
  if (path.length > 0 && (secret === true || writeOnly === true || format === "password")) {
    add(path, true);
    return;
  }
  if (path.length > 0 && secret === "references") add(path, secret);
  if (typeof $ref === "string" && !from.within.has($ref)) {
    const within = new Set([...from.within, $ref]);
    collect(referred(from.root, $ref), path, { ...from, within }, add);
  }
  for (const union of UNIONS) {
    const branches = schema[union];
    if (Array.isArray(branches)) for (const branch of branches) collect(branch, path, from, add);
  }
  if (isMapping(properties)) {
    for (const [key, value] of Object.entries(properties))
      collect(value, [...path, key], from, add);
  }
  for (const inner of [
    items,
    additionalProperties,
    ...(Array.isArray(prefixItems) ? prefixItems : []),
  ]) {
    collect(inner, [...path, "*"], from, add);
  }
}

/**
 * The secret that the unknown key at `path` was meant to be: one beside it that is at most two
 * letters away.
 */
export function misspeltSecret(schema: StandardSchema, path: DocumentPath): string | undefined {
  const written = String(path.at(-1)).toLowerCase();
  const beside = secretKeys(schema).filter(
    (key) =>
      key.length === path.length &&
      key.at(-1) !== "*" &&
      key.slice(0, -1).every((step, at) => step === "*" || step === String(path[at])),
  );
  const names = beside.map((key) => key.at(-1) ?? "");
  return names.find((name) => distance(written, name.toLowerCase()) <= 2);
}
