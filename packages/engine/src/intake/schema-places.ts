import { isMapping } from "@orgloop/sdk";
import type { DocumentPath } from "../settings/document-path.ts";

/** Keywords under which names stand, each with a schema: a name is no keyword. */
const NAMED = new Set([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
  "dependentRequired",
  "dependencies",
]);
/** Keywords whose value is data. */
const DATA = new Set(["enum", "const", "default", "examples"]);
const isReference = (keyword: string): boolean => /^\$(ref|dynamicRef|recursiveRef)$/.test(keyword);

interface Keyword {
  readonly path: DocumentPath;
  readonly keyword: string;
  readonly value: unknown;
}

/** Every keyword of a schema, with its place; deep ones after those around them. */
function* keywords(schema: unknown, path: DocumentPath = []): Generator<Keyword> {
  if (Array.isArray(schema)) {
    for (const [at, one] of schema.entries()) yield* keywords(one, [...path, at]);
    return;
  }
  if (!isMapping(schema)) return;
  for (const [keyword, value] of Object.entries(schema)) {
    const here = [...path, keyword];
    yield { path: here, keyword, value };
    if (DATA.has(keyword)) continue;
    if (!NAMED.has(keyword) || !isMapping(value)) yield* keywords(value, here);
    else for (const [name, one] of Object.entries(value)) yield* keywords(one, [...here, name]);
  }
}

/** References that lead out of the schema: nothing is ever fetched, and no other file is read. */
export function foreignReferences(
  schema: unknown,
): { readonly path: DocumentPath; readonly message: string }[] {
  const all = [...keywords(schema)];
  const base = isMapping(schema) && typeof schema.$id === "string" ? schema.$id : undefined;
  const ids = new Set(
    all.flatMap(({ keyword, value }) => (keyword === "$id" ? resolved(String(value), base) : [])),
  );
  return all.flatMap(({ path, keyword, value }) => {
    if (!isReference(keyword) || typeof value !== "string") return [];
    const [document = ""] = value.split("#");
    if (document === "" || ids.has(resolved(document, base))) return [];
    const message = `${keyword} "${value}" leads out of this file: a schema refers only into itself (#/$defs/…)`;
    return [{ path, message }];
  });
}

function resolved(uri: string, base: string | undefined): string {
  return (URL.canParse(uri, base) ? new URL(uri, base).href : uri).replace(/#.*$/, "");
}

/**
 * Where in a schema it is that a message of Ajv speaks of; the schema itself where it cannot be
 * told.
 */
export function schemaPlaces(schema: unknown, message: string): DocumentPath {
  const unknown = /^unknown keyword: "(.*)"$/.exec(message)?.[1];
  const format = /^unknown format "(.*?)" ignored/.exec(message)?.[1];
  const reference = /^can't resolve reference (\S+) /.exec(message)?.[1];
  const pattern = /^pattern ("(?:[^"\\]|\\.)*") is not/.exec(message)?.[1];
  for (const { path, keyword, value } of keywords(schema)) {
    if (unknown !== undefined && keyword === unknown) return path;
    if (format !== undefined && keyword === "format" && value === format) return path;
    if (reference !== undefined && isReference(keyword) && value === reference) return path;
    if (pattern === undefined) continue;
    const text: string = JSON.parse(pattern);
    if (keyword === "pattern" && value === text) return path;
    if (keyword === "patternProperties" && isMapping(value) && Object.hasOwn(value, text)) {
      return [...path, text];
    }
  }
  return [];
}
