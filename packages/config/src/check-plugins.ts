import {
  hasCode,
  messageOf,
  type PluginDefinition,
  type PluginLookup,
  type StandardSchema,
} from "@orgloop/sdk";
import { at, type Declaration, type Declarations } from "./declarations.ts";
import { valueAt } from "./document-path.ts";
import type { Findings } from "./findings.ts";
import { parsePluginConfig } from "./parse-plugin-config.ts";
import { schemaKeys } from "./schema-keys.ts";

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

function schemaOf(plugin: PluginDefinition, item: Declaration): StandardSchema | string {
  const wanted = item.kind === "source" || item.kind === "actor" ? "connector" : item.kind;
  if (plugin.kind !== wanted) return `is a ${plugin.kind}, not a ${wanted}`;
  if (plugin.kind !== "connector") return plugin.config;
  const part = item.kind === "source" ? plugin.source : plugin.actor;
  return (
    part?.config ?? `has no ${item.kind}: it serves ${plugin.source ? "sources" : "actors"} only`
  );
}

/**
 * Checks every item's `config` against its package's schema, but for those of the file `standIns`. A package that is missing is one
 * error, at its first use.
 */
export async function checkPlugins(
  declarations: Declarations,
  lookup: PluginLookup,
  findings: Findings,
  standIns?: string,
): Promise<void> {
  const { source, actor, transform, logger } = declarations;
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
    for (const item of items) await checkItem(item, plugin, findings);
  }
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
  findings.errors.push({
    ...at(item, [key]),
    code: missing ? "missing-package" : "broken-package",
    message: missing
      ? `package "${name}" is not installed${others}: run npm install ${name}`
      : `package "${name}" cannot be loaded${others}: ${messageOf(error)}`,
  });
}

async function checkItem(item: Declaration, plugin: PluginDefinition, findings: Findings) {
  const named = packageOf(item);
  const schema = schemaOf(plugin, item);
  if (typeof schema === "string") {
    findings.errors.push({
      ...at(item, [named?.key ?? "connector"]),
      code: "wrong-package",
      message: `package "${named?.name}" ${schema}`,
    });
    return;
  }
  const config = valueAt(item.value, ["config"]) ?? {};
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
}

/** A source that could verify its requests and does not takes events from anyone (`spec/cli.md`, HTTP). */
function warnAboutSecret(item: Declaration, schema: object, config: unknown, findings: Findings) {
  const { kind, name } = item;
  if (kind !== "source" || !schemaKeys(schema).includes("secret")) return;
  if (valueAt(config, ["secret"]) !== undefined) return;
  const message = `source "${name}" has no secret: it takes events from anyone who can reach it`;
  findings.warnings.push({ ...at(item, ["id"]), code: "no-secret", message });
}
