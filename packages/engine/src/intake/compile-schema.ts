import { isMapping, messageOf, OrgLoopError } from "@orgloop/sdk";
import { Ajv, type ErrorObject, type Options } from "ajv";
import { Ajv2019 } from "ajv/dist/2019.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { DocumentPath } from "../settings/document-path.ts";
import { linearRegex, schemaFormats } from "./schema-formats.ts";
import { foreignReferences, schemaPlaces } from "./schema-places.ts";

/** What is wrong with a schema, at its place in it. */
export interface SchemaProblem {
  readonly path: DocumentPath;
  readonly message: string;
}

/** Where a value does not fit, and what was expected there. */
export interface Misfit {
  /** Inside the value. */
  readonly path: DocumentPath;
  readonly message: string;
}

/** Answers null for a value that fits, else the first place that does not. */
export type CompiledSchema = (value: unknown) => Misfit | null;

/** A schema that cannot be used, code `INVALID_SCHEMA`. */
export class SchemaError extends OrgLoopError {
  readonly problems: readonly SchemaProblem[];

  constructor(problems: readonly SchemaProblem[]) {
    super("INVALID_SCHEMA", problems.map(({ message }) => message).join("; "));
    this.problems = problems;
  }
}

const OPTIONS: Options = {
  // An unknown keyword or format is a slip; what is merely unusual is not.
  strictSchema: true,
  strictNumbers: true,
  strictTypes: false,
  strictTuples: false,
  allowMatchingProperties: true,
  logger: false,
  addUsedSchema: false,
  code: { regExp: linearRegex },
};

const DRAFTS: readonly (readonly [uri: RegExp, make: () => Ajv])[] = [
  [/^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, () => new Ajv2020(OPTIONS)],
  [/^https?:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/, () => new Ajv2019(OPTIONS)],
  [/^https?:\/\/json-schema\.org\/draft-07\/schema#?$/, () => new Ajv(OPTIONS)],
];

/**
 * A JSON Schema, ready to check with: draft 2020-12 unless `$schema` names 2019-09 or draft-07.
 * Unknown keywords and formats are refused, references lead only into the schema itself, and a
 * `pattern` runs in linear time. Throws {@link SchemaError}.
 */
export function compileSchema(schema: unknown): CompiledSchema {
  if (typeof schema !== "boolean" && !isMapping(schema)) {
    throw new SchemaError([{ path: [], message: "a JSON Schema is an object, true or false" }]);
  }
  const foreign = foreignReferences(schema);
  if (foreign.length > 0) throw new SchemaError(foreign);
  const ajv = withOurOwn(draftOf(schema));
  if (!ajv.validateSchema(schema)) throw new SchemaError(ofMetaSchema(ajv.errors ?? []));
  try {
    const validate = ajv.compile(schema);
    return (value) => (validate(value) ? null : misfitOf(validate.errors?.[0]));
  } catch (error) {
    throw new SchemaError([placed(error, schema)]);
  }
}

function draftOf(schema: boolean | Readonly<Record<string, unknown>>): Ajv {
  const uri = typeof schema === "boolean" ? undefined : schema.$schema;
  if (uri === undefined) return new Ajv2020(OPTIONS);
  const found = DRAFTS.find(([form]) => typeof uri === "string" && form.test(uri));
  if (found !== undefined) return found[1]();
  const message = `$schema: there are draft 2020-12, 2019-09 and draft-07; found ${JSON.stringify(uri)}`;
  throw new SchemaError([{ path: ["$schema"], message }]);
}

/** Formats that run in linear time, and a `uniqueItems` that is not quadratic. */
function withOurOwn(ajv: Ajv): Ajv {
  for (const [name, format] of schemaFormats()) ajv.addFormat(name, format);
  ajv.removeKeyword("uniqueItems");
  return ajv.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    error: { message: "must not have two items that are the same" },
    validate: (isOn: boolean, items: readonly unknown[]) =>
      !isOn || new Set(items.map((item) => JSON.stringify(sorted(item)))).size === items.length,
  });
}

/** The same value with the keys of its objects in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isMapping(value)) return value;
  const keys = Object.keys(value).sort();
  return keys.map((key) => [key, sorted(value[key])]).concat([["", "object"]]);
}

/** The first: what no branch of an `anyOf` takes is told once for each branch, and for itself. */
function ofMetaSchema([error]: readonly ErrorObject[]): SchemaProblem[] {
  const { path, message } = misfitOf(error);
  return [{ path, message: `no JSON Schema: this ${message}` }];
}

/** Ajv tells of a schema that it cannot compile in words alone. */
function placed(error: unknown, schema: unknown): SchemaProblem {
  const message = messageOf(error).replace(/^strict mode: /, "");
  return { path: schemaPlaces(schema, message), message: `no JSON Schema: ${message}` };
}

function misfitOf(error: ErrorObject | undefined): Misfit {
  const { instancePath = "", keyword = "", params = {}, message = "does not fit" } = error ?? {};
  const path = fromPointer(instancePath);
  if (keyword === "required" || keyword === "dependentRequired") {
    return { path: [...path, params.missingProperty], message: "is missing" };
  }
  if (keyword === "additionalProperties" || keyword === "unevaluatedProperties") {
    const name = params.additionalProperty ?? params.unevaluatedProperty;
    return { path: [...path, name], message: "is not expected" };
  }
  if (keyword === "enum") {
    const allowed = JSON.stringify(params.allowedValues).slice(1, -1);
    return { path, message: `must be one of ${shortened(allowed)}` };
  }
  if (keyword === "const") return { path, message: `must be ${shortened(json(params))}` };
  return { path, message };
}

const json = ({ allowedValue }: Record<string, unknown>): string => JSON.stringify(allowedValue);

const SHOWN = 200;
const shortened = (text: string): string =>
  text.length > SHOWN ? `${text.slice(0, SHOWN)} …` : text;

/** RFC 6901. */
function fromPointer(pointer: string): DocumentPath {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((step) => (/^(0|[1-9]\d*)$/.test(step) ? Number(step) : step));
}
