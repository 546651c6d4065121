import {
  holdsReference,
  isBlank,
  parsePluginConfig,
  resolveReferences,
  type SecretText,
  schemaKeys,
  secretTextsIn,
  valueAt,
} from "@orgloop/engine";
import {
  hasCode,
  isMapping,
  messageOf,
  type PluginDefinition,
  type PluginLookup,
  type PluginPart,
  type StandardSchema,
} from "@orgloop/sdk";
import type { Environment } from "../read/read-environment.ts";
import { at, type Declaration, type Declarations } from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";
import { secretVariables } from "./check-environments.ts";
import { checkPrograms } from "./check-programs.ts";
import { checkPath, checkTemplatesAt, madeRoots } from "./check-templates.ts";
import { checkUnfilled } from "./check-unfilled.ts";
import { type MarkedSecrets, markedSecrets } from "./marked-secrets.ts";
import { ALL_ROOTS, PATH_ROOTS } from "./unknown-root.ts";

/** The package that an item names, and the key that names it; null for a script. */
export function packageOf(item: Declaration): { name: string; key: string } | null {
  const value = item.value as Record<string, unknown>;
  const key =
    item.kind === "logger"
      ? "type"
      : item.kind === "transform"
        ? value.type === "package"
          ? "package"
          : "type"
        : "connector";
  const name = value[key];
  return typeof name === "string" && name !== "script" ? { name, key } : null;
}

/** What is secret by the schemas of the packages. */
export interface FoundSecrets {
  /** Names of environment variables. */
  readonly variables: ReadonlySet<string>;
  readonly marked: MarkedSecrets;
}

/** What the packages say of the items. */
export interface FoundParts extends FoundSecrets {
  /** Types of event that a source can have, by its name, where its connector says. */
  readonly emits: ReadonlyMap<string, readonly string[]>;
  /** Sources whose connector gives events an ordering key. */
  readonly keyed: ReadonlySet<string>;
}

type Part = Pick<PluginPart<unknown, unknown>, "config" | "templates" | "paths" | "programs">;

/** What of a package the item is made of, or what it is instead. */
function partOf(plugin: PluginDefinition, item: Declaration): Part | string {
  const wanted = item.kind === "source" || item.kind === "actor" ? "connector" : item.kind;
  if (plugin.kind !== wanted) return `is a ${plugin.kind}, not a ${wanted}`;
  if (plugin.kind !== "connector") return plugin;
  const part = item.kind === "source" ? plugin.source : plugin.actor;
  return part ?? `has no ${item.kind}: it serves ${plugin.source ? "sources" : "actors"} only`;
}

/**
 * Checks every item's `config` against its package's schema, but for those of the file `standIns`.
 * A package that is missing is one error, at its first use. Resolves to what the schemas say is
 * secret, and what the connectors say of their events.
 */
export async function checkPlugins(
  declarations: Declarations,
  lookup: PluginLookup,
  env: Environment,
  findings: Findings,
  projectDir: string,
  standIns?: string,
): Promise<FoundParts> {
  const { source, actor, transform, logger } = declarations;
  const made = madeRoots(transform);
  const context: Context = {
    env,
    projectDir,
    ofTemplates: new Set([...ALL_ROOTS, ...made]),
    ofPaths: new Set([...PATH_ROOTS, ...made]),
  };
  const variables = new Set<string>();
  const marked = new Map<Declaration, readonly SecretText[]>();
  const emits = new Map<string, readonly string[]>();
  const keyed = new Set<string>();
  const uses = new Map<string, Declaration[]>();
  for (const item of [...source, ...actor, ...transform, ...logger] as Declaration[]) {
    const checked = item.enabled && item.layers.at(-1)?.document.file !== standIns;
    const name = checked ? packageOf(item)?.name : undefined;
    if (name === undefined) continue;
    const items = uses.get(name);
    if (items) items.push(item);
    else uses.set(name, [item]);
  }
  for (const [name, items] of uses) {
    let plugin: PluginDefinition;
    try {
      plugin = await lookup(name);
    } catch (error) {
      const [first, ...more] = items;
      if (first) packageError(first, name, more.length, error, findings);
      continue;
    }
    const source = plugin.kind === "connector" ? plugin.source : undefined;
    const types = source?.emits;
    for (const item of items) {
      if (item.kind === "source" && source?.keyed) keyed.add(item.name);
      if (item.kind === "source" && types) emits.set(item.name, types);
      const schema = await checkItem(item, plugin, context, findings);
      if (schema === undefined) continue;
      const config = valueAt(item.value, ["config"]) ?? {};
      for (const name of secretVariables(schema, config)) variables.add(name);
      const found = markedSecrets(schema, config);
      if (found.length > 0) marked.set(item, found);
    }
  }
  return { variables, marked, emits, keyed };
}

function packageError(
  item: Declaration,
  name: string,
  more: number,
  error: unknown,
  findings: Findings,
): void {
  const key = packageOf(item)?.key ?? "connector";
  const others = more > 0 ? ` (${more} more use it)` : "";
  const missing = hasCode(error, "PLUGIN_NOT_FOUND");
  const { hint = "" } = error as { hint?: string };
  findings.errors.push({
    ...at(item, [key]),
    code: missing ? "missing-package" : "broken-package",
    message: missing
      ? `package "${name}" is not installed${others}${hint}`
      : `package "${name}" cannot be loaded${others}: ${messageOf(error)}`,
  });
}

interface Context {
  readonly projectDir: string;
  readonly env: Environment;
  readonly ofTemplates: ReadonlySet<string>;
  readonly ofPaths: ReadonlySet<string>;
}

/** Resolves to its schema; undefined: its package has none for it. */
async function checkItem(
  item: Declaration,
  plugin: PluginDefinition,
  context: Context,
  findings: Findings,
): Promise<StandardSchema | undefined> {
  const named = packageOf(item);
  const part = partOf(plugin, item);
  if (typeof part === "string") {
    findings.errors.push({
      ...at(item, [named?.key ?? "connector"]),
      code: "wrong-package",
      message: `package "${named?.name}" ${part}`,
    });
    return undefined;
  }
  const config = valueAt(item.value, ["config"]) ?? {};
  const { config: schema } = part;
  warnAboutSecret(item, schema, config, findings);
  const { errors, warnings } = await parsePluginConfig(schema, config);
  for (const [list, issues] of [
    [findings.errors, errors ?? []],
    [findings.warnings, warnings],
  ] as const) {
    for (const issue of issues) {
      const { document, path } = at(item, ["config", ...issue.path]);
      list.push({ document, path, at: issue.at, code: issue.code, message: issue.message });
    }
  }
  warnAboutEmpty(item, schema, config, context.env, findings);
  checkEventTexts(item, part, config, context, findings);
  checkPrograms(item, part, config, context.projectDir, findings);
  return schema;
}

/** What the package says are templates and paths in the event. */
function checkEventTexts(
  item: Declaration,
  { templates, paths = [] }: Part,
  config: unknown,
  roots: Context,
  findings: Findings,
): void {
  const keys = typeof templates === "function" ? templates(config) : templates;
  for (const key of keys ?? []) {
    checkTemplatesAt(item, ["config", key], roots.ofTemplates, findings);
  }
  if (keys !== undefined) {
    checkUnfilled(item, ["config"], ([, key]) => keys.some((one) => one === key), findings);
  }
  for (const key of paths) {
    const value = valueAt(config, [key]);
    const list = Array.isArray(value) ? value : Object.keys(isMapping(value) ? value : {});
    for (const [index, path] of list.entries()) {
      const isKey = !Array.isArray(value);
      const here = ["config", key, isKey ? path : index];
      checkPath(item, here, path, roots.ofPaths, findings, isKey ? "key" : "value");
    }
  }
}

/**
 * Secrets that come out empty in the environment of now: `validate` goes on, `start` and `apply`
 * refuse them.
 */
function warnAboutEmpty(
  item: Declaration,
  schema: StandardSchema,
  config: unknown,
  env: Environment,
  findings: Findings,
): void {
  for (const { path, value } of secretTextsIn(schema, config)) {
    if (!holdsReference(value)) continue;
    const { value: found, missing } = resolveReferences(value, env);
    if (missing.length > 0 || !isBlank(found)) continue;
    const message = `${value} is set, and empty: expected a secret; start refuses it`;
    findings.warnings.push({ ...at(item, ["config", ...path]), code: "empty-secret", message });
  }
}

/**
 * A source that could verify its requests and does not takes events from anyone
 * (`docs/commands.md`, HTTP).
 */
function warnAboutSecret(
  item: Declaration,
  schema: StandardSchema,
  config: unknown,
  findings: Findings,
) {
  const { kind, name } = item;
  if (kind !== "source" || !schemaKeys(schema).includes("secret")) return;
  if (valueAt(config, ["secret"]) !== undefined) return;
  const message = `source "${name}" has no secret: it takes events from anyone who can reach it`;
  findings.warnings.push({ ...at(item, ["id"]), code: "no-secret", message });
}
