import { isMapping, SIZE_PATTERN } from "@orgloop/sdk";
import type { JsonSchema } from "../reference/settings-schema.ts";

/** What a text holds that is known later: a variable, or a parameter of a module. */
const REFERENCE = "\\$\\{|\\{\\{";
/** All of a text: then it has the type of what it stands for. */
const WHOLE = "^\\$\\{[^}]+\\}$|^\\{\\{\\s*(params|module)\\.[^{}]+\\}\\}$";

/** A text that `pattern` fits. */
export const text = (pattern: string): JsonSchema => ({ type: "string", pattern });

/** Where `condition` does not fit, `schema` has to. One thing wrong is one error at its place. */
export const unless = (condition: JsonSchema, schema: JsonSchema): JsonSchema => ({
  if: condition,
  else: schema,
});

/** One of `values`, or a text that `others` fits. Editors complete examples, and no condition. */
export const oneOfOr = (others: string, values: readonly unknown[]): JsonSchema => ({
  examples: values,
  ...unless(text(others), { enum: values }),
});

const SIZE = "^\\d+\\s*([bB]|[kKmMgG][bB])$";

export interface EditorOptions {
  /** In a plugin's `config` the environment may stand for anything. */
  readonly config: boolean;
}

/**
 * A JSON Schema as editors want it, from one that zod made: references and parameters may stand
 * wherever they are resolved, what is wrong is one error and not one for each branch of a union,
 * and nothing is in it that a strict validator does not know.
 */
export function editorSchema(schema: JsonSchema, options: EditorOptions): JsonSchema {
  const { anyOf, oneOf, ...rest } = known(schema);
  const branches = (anyOf ?? oneOf) as readonly JsonSchema[] | undefined;
  if (branches === undefined) return opened(closed(rest, options), options);
  const [choices, form] = [branches.find((one) => one.enum), branches.find((one) => one.pattern)];
  if (rest.type === "string" && choices !== undefined) {
    const { type: _, ...said } = rest;
    return { ...said, ...oneOfOr(`${form?.pattern}|\\{\\{`, choices.enum as unknown[]) };
  }
  const types = branches.map(typeOf);
  // Where one takes anything, so does the whole.
  if (types.includes(undefined)) return rest;
  const inner = branches.map((one, at) =>
    types[at] === "string" ? editorSchema(one, options) : closed(known(one), options),
  );
  const [nothing, ...others] = [...inner].sort((one) => (one.type === "null" ? -1 : 1));
  if (nothing?.type === "null" && others.length === 1 && typeof others[0]?.type === "string") {
    return opened({ ...others[0], ...rest, type: [others[0].type, "null"] }, options);
  }
  const union = byType(inner, types);
  return types.includes("string") ? { ...rest, ...union } : { ...rest, ...later(union) };
}

const later = (schema: JsonSchema): JsonSchema => unless(text(WHOLE), schema);

/** Words that only describe: they stay in front. */
const SAID = ["title", "description", "default", "examples", "deprecated", "writeOnly"];

function split(schema: JsonSchema): readonly [said: JsonSchema, rest: JsonSchema] {
  const entries = Object.entries(schema);
  return [
    Object.fromEntries(entries.filter(([key]) => SAID.includes(key))),
    Object.fromEntries(entries.filter(([key]) => !SAID.includes(key))),
  ];
}

/** What is no text may be a reference to it, and a text with a form may hold one. */
function opened(schema: JsonSchema, { config }: EditorOptions): JsonSchema {
  const [said, { type, ...rest }] = split(schema);
  const first = Array.isArray(type) ? type[0] : type;
  if (first === "string") {
    const { pattern, enum: values, const: only } = rest;
    if (config && only !== undefined) return { ...said, ...oneOfOr(REFERENCE, [only]) };
    if (Array.isArray(values)) return { ...said, ...oneOfOr(REFERENCE, values) };
    if (typeof pattern !== "string") return schema;
    const open = config ? REFERENCE : "\\{\\{";
    return { ...schema, pattern: `${open}|${pattern}` };
  }
  const isPlain = ["boolean", "integer", "number"].includes(first) || listsTexts({ type, ...rest });
  const choices = first === "boolean" ? { examples: [true, false] } : {};
  return isPlain ? { ...said, ...choices, ...later({ type, ...rest }) } : schema;
}

/** Lists of mappings are written out: a parameter has none. */
function listsTexts({ type, items }: JsonSchema): boolean {
  if (type !== "array" && !(Array.isArray(type) && type[0] === "array")) return false;
  return !isMapping(items) || (typeOf(items) !== "object" && items.$ref === undefined);
}

/** The same with the schemas in it made for editors. */
function closed(schema: JsonSchema, options: EditorOptions): JsonSchema {
  const inner = (one: unknown) => (isMapping(one) ? editorSchema(one, options) : one);
  return Object.fromEntries(
    Object.entries(missingOnce(schema)).map(([key, value]) => {
      if (["properties", "patternProperties", "$defs"].includes(key)) {
        const named = Object.entries(value as JsonSchema);
        return [key, Object.fromEntries(named.map(([name, one]) => [name, inner(one)]))];
      }
      return [key, ["items", "additionalProperties"].includes(key) ? inner(value) : value];
    }),
  );
}

/**
 * A key that is missing is told where there is none that is unknown: it may be the one, mistyped.
 */
function missingOnce({ required, ...schema }: JsonSchema): JsonSchema {
  if (!Array.isArray(required) || required.length === 0) return schema;
  if (schema.additionalProperties !== false) return { ...schema, required };
  const properties = Object.fromEntries(required.map((key) => [key, true]));
  return {
    ...schema,
    if: { propertyNames: { enum: Object.keys(schema.properties as JsonSchema) } },
    then: { properties, required },
  };
}

/** Without the words that only zod or we know. */
function known(schema: JsonSchema): JsonSchema {
  const { secret, values, filter, format, propertyNames, minimum, maximum, ...rest } =
    eachType(schema);
  if (filter === true) {
    const { description } = rest;
    return { $ref: "#/$defs/Filter", ...(description !== undefined && { description }) };
  }
  const bound = (key: string, value: unknown) =>
    typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER ? { [key]: value } : {};
  return {
    ...rest,
    ...bound("minimum", minimum),
    ...bound("maximum", maximum),
    // A JSON Schema's pattern has no flag for letters of any case.
    ...(rest.pattern === SIZE_PATTERN.source && { pattern: SIZE }),
    ...(format === "uri" && { pattern: "^[A-Za-z][A-Za-z0-9+.-]*:" }),
    ...(isMapping(propertyNames) && propertyNames.pattern !== undefined && { propertyNames }),
    ...(secret === true && { writeOnly: true }),
  };
}

/** `type: [string, number]` as a union: a strict validator takes one type, and null. */
function eachType({ type, ...rest }: JsonSchema): JsonSchema {
  const types = Array.isArray(type) ? type : [];
  const isUnion = types.filter((one) => one !== "null").length > 1;
  if (isUnion) return { ...rest, anyOf: types.map((one) => ({ type: one })) };
  return type === undefined ? rest : { ...rest, type };
}

/** The one type that a schema takes; undefined where it takes several. */
function typeOf(schema: JsonSchema): string | undefined {
  const { type, $ref, const: constant, anyOf, filter } = schema;
  if (filter === true) return "object";
  if (typeof type === "string") return type;
  if (typeof $ref === "string") return "object";
  if (constant !== undefined) return typeof constant;
  const types = new Set(Array.isArray(anyOf) ? anyOf.map(typeOf) : [undefined]);
  return types.size === 1 ? [...types][0] : undefined;
}

/** The branch that a value's type chooses; of several mappings, that of its discriminator. */
function byType(
  branches: readonly JsonSchema[],
  types: readonly (string | undefined)[],
): JsonSchema {
  const groups = Map.groupBy(branches, (_, at) => types[at]);
  const chosen = [...groups].map(([type, [first = {}, ...more]]) => ({
    type,
    schema: more.length === 0 ? first : discriminated([first, ...more]),
  }));
  // Mappings last: what is of no type that fits is told that a mapping was expected.
  chosen.sort((one, other) => Number(one.type === "object") - Number(other.type === "object"));
  return chosen.reduceRight<JsonSchema>(
    (rest, { type, schema }, at) =>
      at === chosen.length - 1 ? schema : { if: { type }, then: schema, else: rest },
    {},
  );
}

/** The only value that there can be, beside a reference to it. */
function constantOf(schema: unknown): unknown {
  if (!isMapping(schema)) return undefined;
  const choices = isMapping(schema.else) ? schema.else.enum : undefined;
  return Array.isArray(choices) && choices.length === 1 ? choices[0] : schema.const;
}

function discriminated(branches: readonly JsonSchema[]): JsonSchema {
  const properties = branches.map((one) => (isMapping(one.properties) ? one.properties : {}));
  const key = Object.keys(properties[0] ?? {}).find((name) =>
    properties.every((own) => constantOf(own[name]) !== undefined),
  );
  if (key === undefined) return { type: branches[0]?.type };
  const constants = properties.map((own) => constantOf(own[key]));
  const first = properties[0]?.[key] as JsonSchema;
  const none: JsonSchema = {
    type: "object",
    properties: { [key]: { ...split(first)[0], ...oneOfOr(REFERENCE, constants) } },
    required: [key],
  };
  return branches.reduceRight<JsonSchema>(
    (rest, branch, at) => ({
      if: {
        type: "object",
        properties: { [key]: { const: constants[at] } },
        required: [key],
      },
      then: branch,
      else: rest,
    }),
    none,
  );
}
