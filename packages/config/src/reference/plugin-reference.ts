import { isMapping, type PluginDefinition, type PluginPart } from "@orgloop/sdk";
import { exampleOf } from "./setting-type.ts";
import { type Setting, settingsOf } from "./settings.ts";
import { type JsonSchema, settingsSchema } from "./settings-schema.ts";

/** What something can be used as. */
export type Role = "source" | "actor" | "transform" | "logger" | "module";

/** What a package is in one of its roles, as its schema tells. */
export interface RoleReference {
  readonly role: Role;
  /** e.g. `GitHub source`. */
  readonly title: string;
  readonly description: string | null;
  /** Null where its schema cannot say: it has no JSON Schema. */
  readonly settings: readonly Setting[] | null;
  /** A whole `config`, or `params`; absent where its author gives none. */
  readonly example?: unknown;
  /** What the settings are read from. */
  readonly schema: JsonSchema | null;
}

/** What can be named in `connector`, `type` or `package`. */
export interface PluginReference {
  /** What is written there: the package. */
  readonly name: string;
  /** The short name, e.g. `github`. */
  readonly id: string;
  readonly kind: "connector" | "transform" | "logger" | "module";
  readonly roles: readonly RoleReference[];
}

/** What is told of a plugin. */
export function pluginReference(name: string, plugin: PluginDefinition): PluginReference {
  const { id, kind } = plugin;
  const roles =
    kind === "connector"
      ? ([
          ["source", plugin.source],
          ["actor", plugin.actor],
        ] as const)
      : ([[kind, plugin]] as const);
  return {
    name,
    id,
    kind,
    roles: roles.flatMap(([role, part]) => (part ? [roleReference(role, id, part)] : [])),
  };
}

function roleReference(
  role: Role,
  id: string,
  { config }: Pick<PluginPart<unknown, unknown>, "config">,
): RoleReference {
  const schema = settingsSchema(config);
  return described(role, id, schema, schema === null ? null : settingsOf(schema));
}

function described(
  role: Role,
  id: string,
  schema: JsonSchema | null,
  settings: readonly Setting[] | null,
): RoleReference {
  const { title, description } = schema ?? {};
  const example = schema === null ? undefined : exampleOf(schema);
  return {
    role,
    title: typeof title === "string" ? title : `${id} ${role}`,
    description: typeof description === "string" ? description : null,
    settings,
    ...(example !== undefined && { example }),
    schema,
  };
}

const FORMS: Readonly<Record<string, JsonSchema>> = {
  string: { type: "string" },
  number: { type: "number" },
  boolean: { type: "boolean" },
  duration: { type: "string", pattern: "^(\\d+)(ms|s|m|h|d)$" },
  rate: { type: "string", pattern: "^\\d+/[smh]$" },
  list: { type: "array" },
  source: { type: "string", minLength: 1 },
  actor: { type: "string", minLength: 1 },
};

/** What is told of a module, by its manifest, which is valid. */
export function moduleReference(name: string, manifest: unknown): PluginReference {
  const { metadata, parameters } = isMapping(manifest) ? manifest : {};
  const { name: id, title, description } = isMapping(metadata) ? metadata : {};
  const declared = (Array.isArray(parameters) ? parameters : []).filter(isMapping);
  const schema: JsonSchema = {
    type: "object",
    title: typeof title === "string" ? title : `Module ${id}`,
    ...(typeof description === "string" && { description }),
    properties: Object.fromEntries(declared.map((one) => [String(one.name), parameterSchema(one)])),
    required: declared.filter(({ required }) => required === true).map((one) => String(one.name)),
    additionalProperties: false,
    examples: [exampleParams(declared)],
  };
  const settings = settingsOf(schema).map((one, at) => ({
    ...one,
    type: parameterType(declared[at] ?? {}),
  }));
  const short = String(id);
  return { name, id: short, kind: "module", roles: [described("module", short, schema, settings)] };
}

const WORDS: Readonly<Record<string, string>> = {
  string: "text",
  boolean: "true or false",
  source: "id of a source",
  actor: "id of an actor",
};

function parameterType({ type, values }: JsonSchema): string {
  if (type === "enum" && Array.isArray(values)) return `one of ${values.join(", ")}`;
  return WORDS[String(type)] ?? String(type);
}

function parameterSchema(parameter: JsonSchema): JsonSchema {
  const { type, values, default: standard, description, example, secret } = parameter;
  return {
    ...(type === "enum" ? { enum: values } : FORMS[String(type)]),
    ...(typeof description === "string" && { description }),
    ...(standard !== undefined && { default: standard }),
    ...(example !== undefined && { examples: [example] }),
    ...(secret === true && { secret }),
  };
}

/** What a use must give. */
function exampleParams(declared: readonly JsonSchema[]): JsonSchema {
  const given = declared.filter(
    ({ required, example }) => required === true && example !== undefined,
  );
  return Object.fromEntries(given.map(({ name, example }) => [String(name), example]));
}
