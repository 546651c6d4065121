import type { StandardSchema } from "@orgloop/sdk";
import { type DocumentPath, isMapping } from "./document-path.ts";
import { branchesOf, jsonSchemaOf } from "./json-schema-of.ts";

/**
 * The keys that a schema knows in the mapping at `path`, but for those that it calls deprecated;
 * none where it does not say: it has no JSON Schema and is no zod object.
 */
export function schemaKeys(schema: StandardSchema, path: DocumentPath = []): readonly string[] {
  const root = jsonSchemaOf(schema);
  if (root === undefined) {
    return path.length === 0 && "shape" in schema && isMapping(schema.shape)
      ? Object.keys(schema.shape)
      : [];
  }
  const keys = new Set<string>();
  for (const { properties } of path.reduce(
    (at, step) => below(root, at, step),
    branchesOf(root, root),
  )) {
    if (!isMapping(properties)) continue;
    for (const [key, property] of Object.entries(properties)) {
      if (!isMapping(property) || property.deprecated !== true) keys.add(key);
    }
  }
  return [...keys];
}

type Branches = ReturnType<typeof branchesOf>;

function below(root: unknown, branches: Branches, step: string | number): Branches {
  return branches.flatMap(({ properties, items, additionalProperties }) => {
    if (typeof step === "number") return branchesOf(root, items);
    const own = isMapping(properties) && Object.hasOwn(properties, step);
    return branchesOf(root, own ? properties[step] : additionalProperties);
  });
}
