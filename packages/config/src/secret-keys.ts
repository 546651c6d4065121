import { isMapping, type StandardSchema } from "@orgloop/sdk";
import { distance } from "fastest-levenshtein";
import type { DocumentPath } from "./document-path.ts";

/** The way to a key that a schema marks secret; `*` is any item of a list and any key of a free mapping. */
export type SecretKey = readonly string[];

interface JsonSchemaOf {
  readonly input?: (options: { target: "draft-2020-12" }) => unknown;
}

const known = new WeakMap<object, readonly SecretKey[]>();

/**
 * The keys of a plugin's `config` that its schema marks secret: `secret: true` (zod's `.meta({ secret: true })`), or JSON Schema's own
 * `writeOnly: true` and `format: password`. Read from the schema's JSON Schema (standardschema.dev, Standard JSON Schema); none where it
 * has no such form.
 */
export function secretKeys(schema: StandardSchema): readonly SecretKey[] {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const keys = new Map<string, SecretKey>();
  collect(jsonSchemaOf(schema), [], (key) => keys.set(key.join("\0"), key));
  const found = [...keys.values()];
  known.set(schema, found);
  return found;
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

function valuesAt(value: unknown, [step, ...rest]: SecretKey, path: DocumentPath): SecretValue[] {
  if (step === undefined) return value === undefined ? [] : [{ path, value }];
  if (step === "*" && Array.isArray(value)) {
    return value.flatMap((item, at) => valuesAt(item, rest, [...path, at]));
  }
  if (!isMapping(value)) return [];
  const names = step === "*" ? Object.keys(value) : Object.hasOwn(value, step) ? [step] : [];
  return names.flatMap((name) => valuesAt(value[name], rest, [...path, name]));
}

function jsonSchemaOf(schema: StandardSchema): unknown {
  const { jsonSchema } = schema["~standard"] as { readonly jsonSchema?: JsonSchemaOf };
  try {
    return jsonSchema?.input?.({ target: "draft-2020-12" });
  } catch {
    // A schema that has no such form, for a value that JSON cannot hold: then nothing is marked.
    return undefined;
  }
}

const UNIONS = ["anyOf", "oneOf", "allOf"] as const;

function collect(schema: unknown, path: SecretKey, add: (key: SecretKey) => void): void {
  if (!isMapping(schema)) return;
  const { secret, writeOnly, format, properties, items, additionalProperties } = schema;
  if (path.length > 0 && (secret === true || writeOnly === true || format === "password")) {
    add(path);
    return;
  }
  for (const union of UNIONS) {
    const branches = schema[union];
    if (Array.isArray(branches)) for (const branch of branches) collect(branch, path, add);
  }
  if (isMapping(properties)) {
    for (const [key, value] of Object.entries(properties)) collect(value, [...path, key], add);
  }
  collect(items, [...path, "*"], add);
  collect(additionalProperties, [...path, "*"], add);
}

/** The secret that the unknown key at `path` was meant to be: one beside it that is at most two letters away. */
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
