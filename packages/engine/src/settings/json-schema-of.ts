import type { StandardSchema } from "@orgloop/sdk";
import { isMapping, valueAt } from "./document-path.ts";

const known = new WeakMap<object, unknown>();

/**
 * The JSON Schema (draft 2020-12) of what a plugin's schema takes (standardschema.dev, Standard
 * JSON Schema); undefined where it has no such form.
 */
export function jsonSchemaOf(schema: StandardSchema): unknown {
  if (!known.has(schema)) known.set(schema, generated(schema));
  return known.get(schema);
}

function generated(schema: StandardSchema): unknown {
  try {
    // What JSON Schema has no form for, such as zod's preprocess, hides none of the keys beside it.
    const libraryOptions = { unrepresentable: "any" };
    return schema["~standard"].jsonSchema?.input?.({ target: "draft-2020-12", libraryOptions });
  } catch {
    // A schema that has no such form, for a value that JSON cannot hold: then nothing is known.
    return undefined;
  }
}

/** What `#/$defs/name` names in the schema; undefined for any other reference. */
export function referred(root: unknown, reference: string): unknown {
  const [start, ...steps] = reference.split("/");
  if (start !== "#") return undefined;
  return valueAt(
    root,
    steps.map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~")),
  );
}

/** Keys of a schema that hold a list of schemas for the same value. */
const UNIONS = ["anyOf", "oneOf", "allOf"] as const;

/**
 * The schemas that a value is checked against at once: the schema itself, what it refers to, and
 * the branches of its unions. Each is given once, so that one that holds itself ends.
 */
export function branchesOf(
  root: unknown,
  schema: unknown,
  seen = new Set<unknown>(),
): readonly Readonly<Record<string, unknown>>[] {
  if (!isMapping(schema) || seen.has(schema)) return [];
  seen.add(schema);
  const inner = UNIONS.flatMap((union) => {
    const branches = schema[union];
    return Array.isArray(branches) ? branches : [];
  });
  if (typeof schema.$ref === "string") inner.push(referred(root, schema.$ref));
  return [schema, ...inner.flatMap((one) => branchesOf(root, one, seen))];
}
