import * as z from "zod";
import { testSchema } from "./test-schema.ts";
import { DOCUMENT_SCHEMAS } from "./validate-document.ts";

const HOME = "https://orgloop.dev/schemas/v1alpha1";

type JsonSchema = Record<string, unknown>;

const SCHEMAS = { ...DOCUMENT_SCHEMAS, Test: testSchema };

/**
 * `${vars.x}` takes the variable's type, so that it may stand where a number or true or false is
 * expected.
 */
function allowVars({ jsonSchema }: { jsonSchema: JsonSchema }): void {
  if (jsonSchema.type !== "integer" && jsonSchema.type !== "boolean") return;
  const { type, minimum } = jsonSchema;
  delete jsonSchema.type;
  delete jsonSchema.minimum;
  delete jsonSchema.maximum;
  jsonSchema.anyOf = [
    { type, ...(minimum !== undefined && { minimum }) },
    { type: "string", pattern: "^\\$\\{vars\\.[^}]+\\}$" },
  ];
}

/**
 * JSON Schemas (draft 2020-12) for editors, by file name: one a kind, and `orgloop.json`, which
 * picks the kind by the document's own `kind`. Generated from the schemas that the loader uses.
 */
export function jsonSchemas(): Record<string, JsonSchema> {
  const files: Record<string, JsonSchema> = {};
  const branches: JsonSchema[] = [];
  for (const [kind, schema] of Object.entries(SCHEMAS)) {
    const name = `${kind.replace(/([a-z])([A-Z])/g, "$1-$2").toLowerCase()}.json`;
    const generated = z.toJSONSchema(schema, { io: "input", override: allowVars });
    files[name] = { $id: `${HOME}/${name}`, title: `OrgLoop ${kind}`, ...generated };
    branches.push({
      if: { properties: { kind: { const: kind } }, required: ["kind"] },
      then: { $ref: name },
    });
  }
  files["orgloop.json"] = {
    $id: `${HOME}/orgloop.json`,
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "OrgLoop configuration",
    type: "object",
    properties: { kind: { enum: Object.keys(SCHEMAS) } },
    required: ["apiVersion", "kind"],
    allOf: branches,
  };
  return files;
}
