import { type OrgLoopEvent, type SourceSpec, withPlainNumbers } from "@orgloop/sdk";
import { formatPath } from "../settings/document-path.ts";
import { type CompiledSchema, compileSchema } from "./compile-schema.ts";

export { compileSchema, SchemaError, type SchemaProblem } from "./compile-schema.ts";

type Ingressed = Pick<OrgLoopEvent, "source" | "type" | "provenance" | "payload">;

/**
 * Why an event does not fit the schema of its source, with the field at fault; null where it fits,
 * or there is none for it. Throws `INVALID_SCHEMA`.
 */
export type CheckEvent = (event: Ingressed) => string | null;

/**
 * The schemas of these sources (`docs/configuration.md`, Schemas): that of `platform_event` where
 * there is one, else that of the type. Each is compiled once, when an event first asks for it.
 */
export function eventSchemas(sources: readonly Pick<SourceSpec, "id" | "schemas">[]): CheckEvent {
  const schemas = new Map(sources.map(({ id, schemas = {} }) => [id, schemas]));
  const compiled = new Map<string, CompiledSchema>();

  function compile(text: string): CompiledSchema {
    const found = compiled.get(text) ?? compileSchema(JSON.parse(text));
    compiled.set(text, found);
    return found;
  }

  return ({ source, type, provenance, payload }) => {
    const ofSource = schemas.get(source);
    if (ofSource === undefined) return null;
    const { platform_event } = provenance;
    const key = [platform_event, type].find(
      (one) => typeof one === "string" && Object.hasOwn(ofSource, one),
    );
    const schema = key === undefined ? undefined : ofSource[key];
    if (schema === undefined) return null;
    const misfit = compile(schema.text)(withPlainNumbers(payload));
    if (misfit === null) return null;
    return `${formatPath(["payload", ...misfit.path])} ${misfit.message} (${schema.file})`;
  };
}
