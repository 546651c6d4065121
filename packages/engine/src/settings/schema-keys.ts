import { isMapping } from "./document-path.ts";

/** The keys that a zod object knows; none for another library's schema. */
export function schemaKeys(schema: object): readonly string[] {
  return "shape" in schema && isMapping(schema.shape) ? Object.keys(schema.shape) : [];
}
