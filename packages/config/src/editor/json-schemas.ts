import * as z from "zod";
import type { PluginReference } from "../reference/plugin-reference.ts";
import type { JsonSchema } from "../reference/settings-schema.ts";
import { testSchema } from "../schema/test-schema.ts";
import { DOCUMENT_SCHEMAS } from "../schema/validate-document.ts";
import { editorSchema } from "./editor-schema.ts";
import { FILTER_DEFS } from "./filter-schema.ts";
import { withPackages } from "./package-schemas.ts";

const HOME = "https://orgloop.dev/schemas/v1alpha1";

const SCHEMAS = { ...DOCUMENT_SCHEMAS, Test: testSchema };

/**
 * JSON Schemas (draft 2020-12) for editors, by file name: one a kind, and `orgloop.json`, which
 * picks the kind by the document's own `kind`. Made from the schemas that the loader uses, and from
 * what `references` says of plugins and modules.
 */
export function jsonSchemas(references: readonly PluginReference[]): Record<string, JsonSchema> {
  const files: Record<string, JsonSchema> = {};
  const branches: JsonSchema[] = [];
  for (const [kind, schema] of Object.entries(SCHEMAS)) {
    const name = `${kind.replace(/([a-z])([A-Z])/g, "$1-$2").toLowerCase()}.json`;
    files[name] = { $id: `${HOME}/${name}`, title: `OrgLoop ${kind}`, ...file(schema, references) };
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
    properties: {
      apiVersion: { const: "orgloop/v1alpha1" },
      kind: { enum: Object.keys(SCHEMAS) },
    },
    required: ["kind"],
    allOf: branches,
  };
  return files;
}

function file(schema: z.ZodType, references: readonly PluginReference[]): JsonSchema {
  const generated = z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
  const { $defs, ...rest } = editorSchema(generated, { config: false });
  const defs = withPackages(($defs ?? {}) as Record<string, JsonSchema>, references);
  const filters =
    JSON.stringify(rest).includes("#/$defs/Filter") ||
    JSON.stringify(defs).includes("#/$defs/Filter");
  const all = { ...defs, ...(filters && FILTER_DEFS) };
  return { ...rest, ...(Object.keys(all).length > 0 && { $defs: all }) };
}
