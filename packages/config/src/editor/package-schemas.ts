import { isMapping } from "@orgloop/sdk";
import type { PluginReference, Role } from "../reference/plugin-reference.ts";
import type { JsonSchema } from "../reference/settings-schema.ts";
import { editorSchema, oneOfOr } from "./editor-schema.ts";

/**
 * Names of packages of others, as far as they can be told from a mistyped one of ours: with a scope
 * that is not ours, or with a hyphen; and what is known later.
 */
const OTHERS = "^@(?!orgloop/)[^/\\s]+/[^/\\s]+$|^[a-z0-9][a-z0-9._]*-[a-z0-9._-]+$|\\$\\{|\\{\\{";
const FOLDERS = "^\\.{0,2}/|^\\.{1,2}$";

/** How an item of a kind names its package, and where that one's settings stand. */
interface Naming {
  readonly def: string;
  readonly role: Role;
  readonly key: string;
  readonly settings: "config" | "params";
  readonly others: string;
  /** Names beside packages. */
  readonly words?: readonly string[];
}

const NAMINGS: readonly Naming[] = [
  { def: "Source", role: "source", key: "connector", settings: "config", others: OTHERS },
  { def: "Actor", role: "actor", key: "connector", settings: "config", others: OTHERS },
  { def: "Transform", role: "transform", key: "package", settings: "config", others: OTHERS },
  {
    def: "Transform",
    role: "transform",
    key: "type",
    settings: "config",
    others: `^\\.{1,2}/|${OTHERS}`,
    words: ["script", "package"],
  },
  { def: "Logger", role: "logger", key: "type", settings: "config", others: OTHERS },
  {
    def: "ModuleUse",
    role: "module",
    key: "package",
    settings: "params",
    others: `${FOLDERS}|${OTHERS}`,
  },
];

/** Named by `type: script`, with settings beside it. */
const SCRIPT = "@orgloop/transform-script";

/**
 * The definitions of a file with what the packages say: only names that there are, and under each
 * name its settings.
 */
export function withPackages(
  defs: Readonly<Record<string, JsonSchema>>,
  references: readonly PluginReference[],
): Record<string, JsonSchema> {
  const result: Record<string, JsonSchema> = { ...defs };
  for (const naming of NAMINGS) {
    const item = result[naming.def];
    if (item === undefined) continue;
    const named = packagesOf(naming.role, references);
    for (const { def, schema } of named) result[def] = schema;
    result[naming.def] = namingItem(item, naming, named);
  }
  return result;
}

interface NamedSettings {
  readonly name: string;
  readonly def: string;
  readonly schema: JsonSchema;
}

function packagesOf(role: Role, references: readonly PluginReference[]): NamedSettings[] {
  return references
    .filter(({ name }) => name !== SCRIPT)
    .flatMap(({ name, id, roles }) =>
      roles
        .filter((one) => one.role === role && one.schema !== null)
        .map(({ schema }) => {
          const { $schema: _, ...own } = editorSchema(schema ?? {}, { config: true });
          const needed = isMapping(own.then);
          const type = needed ? "object" : ["object", "null"];
          return { name, def: `${role}-${id}`, schema: { ...own, type } };
        }),
    );
}

function namingItem(item: JsonSchema, naming: Naming, named: readonly NamedSettings[]): JsonSchema {
  const { key, settings, others, words = [] } = naming;
  const properties = isMapping(item.properties) ? item.properties : {};
  const { description } = isMapping(properties[key]) ? properties[key] : {};
  const names = [...words, ...named.map(({ name }) => name)];
  const conditions = named.map(({ name, def, schema }) => ({
    if: { properties: { [key]: { const: name } }, required: [key] },
    then: {
      properties: { [settings]: { $ref: `#/$defs/${def}` } },
      ...(schema.type === "object" && { required: [settings] }),
    },
  }));
  const before = Array.isArray(item.allOf) ? item.allOf : [];
  return {
    ...item,
    properties: { ...properties, [key]: { description, ...oneOfOr(others, names) } },
    allOf: [...before, ...needed(words), ...conditions],
  };
}

/** `type: script` needs `script`, `type: package` needs `package`. */
const needed = (words: readonly string[]): readonly JsonSchema[] =>
  words.map((word) => ({
    if: { properties: { type: { const: word } }, required: ["type"] },
    then: { properties: { [word]: {} }, required: [word] },
  }));
