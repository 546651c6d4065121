import { branchesOf } from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import { exampleOf, settingType } from "./setting-type.ts";
import type { JsonSchema } from "./settings-schema.ts";

/** One setting of a plugin or a module, as people are told of it. */
export interface Setting {
  /** The way to it: `auth.token`, `schedules[].cron`. */
  readonly name: string;
  /** In words: `text`, `one of POST, PUT`. */
  readonly type: string;
  /** Whether it must be there, where what it is part of is. */
  readonly required: boolean;
  /** Absent where there is none. */
  readonly default?: unknown;
  readonly description: string | null;
  /** Absent where its author gives none. */
  readonly example?: unknown;
  /** It is a secret, or what its `${…}` stand for is. */
  readonly secret: boolean;
  /** It is known and does nothing. */
  readonly deprecated: boolean;
}

/** The settings that a plugin's JSON Schema describes, in its order, each before its parts. */
export function settingsOf(schema: JsonSchema): readonly Setting[] {
  const settings: Setting[] = [];
  collect({ root: schema, within: new Set() }, schema, "", (setting) => settings.push(setting));
  return settings;
}

interface Walk {
  readonly root: JsonSchema;
  /** What led here: one of them again is a schema that holds itself. */
  readonly within: ReadonlySet<unknown>;
}

function collect(
  walk: Walk,
  schema: unknown,
  prefix: string,
  add: (setting: Setting) => void,
): void {
  if (walk.within.has(schema)) return;
  const inner = { ...walk, within: new Set([...walk.within, schema]) };
  const branches = branchesOf(walk.root, schema);
  const mappings = branches.filter(({ properties }) => isMapping(properties));
  for (const key of new Set(mappings.flatMap((one) => Object.keys(one.properties as JsonSchema)))) {
    const having = mappings.filter((one) => hasKey(one, key));
    const properties = having.map(({ properties }) => (properties as JsonSchema)[key]);
    const property = properties.length === 1 ? properties[0] : { anyOf: properties };
    const required = mappings.every((one) => isRequired(one, key));
    add({ ...settingOf(walk.root, property, `${prefix}${key}`), required });
    collect(inner, property, `${prefix}${key}.`, add);
  }
  for (const { items } of branches) {
    if (items !== undefined) collect(inner, items, `${prefix.replace(/\.$/, "")}[].`, add);
  }
}

const hasKey = ({ properties }: JsonSchema, key: string): boolean =>
  isMapping(properties) && Object.hasOwn(properties, key);
const isRequired = ({ required }: JsonSchema, key: string): boolean =>
  Array.isArray(required) && required.includes(key);

function settingOf(root: JsonSchema, schema: unknown, name: string): Setting {
  const branches = branchesOf(root, schema);
  const found = (key: string) => branches.find((one) => one[key] !== undefined)?.[key];
  const example = branches.map(exampleOf).find((one) => one !== undefined);
  const description = found("description");
  const secret = branches.some(
    ({ secret, writeOnly, format }) =>
      secret === true || secret === "references" || writeOnly === true || format === "password",
  );
  const standard = found("default");
  return {
    name,
    type: settingType(root, schema),
    required: false,
    // `prefault({})` of a mapping: its parts have the defaults.
    ...(standard !== undefined && !isEmptyOfParts(standard, branches) && { default: standard }),
    description: typeof description === "string" ? description : null,
    ...(example !== undefined && { example }),
    secret,
    deprecated: found("deprecated") === true,
  };
}

const isEmptyOfParts = (value: unknown, branches: readonly JsonSchema[]): boolean =>
  isMapping(value) &&
  Object.keys(value).length === 0 &&
  branches.some(({ properties }) => isMapping(properties));
