import { jsonSchemaOf } from "@orgloop/engine";
import { isMapping, type StandardSchema } from "@orgloop/sdk";
import * as z from "zod";

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema (draft 2020-12) of what a plugin takes as its settings: its own, or what zod
 * makes of a schema of `zod/mini`. Null where it has none.
 */
export function settingsSchema(schema: StandardSchema): JsonSchema | null {
  const own = jsonSchemaOf(schema);
  if (isMapping(own)) return own;
  if (!("_zod" in schema)) return null;
  const options = { io: "input", unrepresentable: "any" } as const;
  return z.toJSONSchema(schema as unknown as z.ZodType, options) as JsonSchema;
}
