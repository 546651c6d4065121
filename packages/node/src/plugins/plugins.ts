import { fileURLToPath, pathToFileURL } from "node:url";
import { messageOf, OrgLoopError, type PluginDefinition, type PluginLookup } from "@orgloop/sdk";
import { distance } from "fastest-levenshtein";
import { findPlugin } from "./find-plugin.ts";

/**
 * The packages that come with OrgLoop. A literal import each, so that a reader and a bundler can
 * follow it.
 */
const OWN: Readonly<Record<string, () => Promise<{ default: object }>>> = {
  "@orgloop/connector-console": () => import("@orgloop/connector-console"),
  "@orgloop/connector-cron": () => import("@orgloop/connector-cron"),
  "@orgloop/connector-eventbridge": () => import("@orgloop/connector-eventbridge"),
  "@orgloop/connector-exec": () => import("@orgloop/connector-exec"),
  "@orgloop/connector-file": () => import("@orgloop/connector-file"),
  "@orgloop/connector-github": () => import("@orgloop/connector-github"),
  "@orgloop/connector-webhook": () => import("@orgloop/connector-webhook"),
  "@orgloop/logger-console": () => import("@orgloop/logger-console"),
  "@orgloop/logger-file": () => import("@orgloop/logger-file"),
  "@orgloop/transform-dedup": () => import("@orgloop/transform-dedup"),
  "@orgloop/transform-enrich": () => import("@orgloop/transform-enrich"),
  "@orgloop/transform-filter": () => import("@orgloop/transform-filter"),
  "@orgloop/transform-script": () => import("@orgloop/transform-script"),
};

/** The names of the packages that come with OrgLoop, in their order. */
export const OWN_PACKAGES: readonly string[] = Object.keys(OWN);

/**
 * Finds packages from a project's `node_modules` (as Node does, up to the file system's root), or
 * as `./file.js` in the project; then among our own. Under one of our own names a project's copy
 * counts only where its `package.json` declares our interface (`"orgloop": { "api": 1 }`): the
 * copies that existing projects have installed are of OrgLoop 0.7.9, built for another engine. Any
 * other package of 0.7.9's form runs through an adapter.
 *
 * Throws `PLUGIN_NOT_FOUND`, `PLUGIN_BROKEN` where the package fails while it loads,
 * `PLUGIN_INVALID` where it exports nothing that we know. What was found is kept, what was not is
 * looked for again.
 */
export function pluginLookup({ projectDir }: { readonly projectDir: string }): PluginLookup {
  const found = new Map<string, Promise<PluginDefinition>>();
  return (name) => {
    const before = found.get(name);
    if (before !== undefined) return before;
    const loading = load(projectDir, name);
    found.set(name, loading);
    loading.catch(() => found.delete(name));
    return loading;
  };
}

/**
 * The module that `pluginLookup` takes for a package, as an absolute path: what a bundler begins
 * with. Rejects as the lookup does, and with `PLUGIN_INVALID` for a package of OrgLoop 0.7.9's
 * form, which runs in a process only.
 */
export function pluginEntry({ projectDir }: { readonly projectDir: string }) {
  return async (name: string): Promise<string> => {
    const plugin = await findPlugin(projectDir, name);
    const own = Object.hasOwn(OWN, name);
    if (plugin === undefined || (own && plugin.api !== 1)) {
      if (own) return fileURLToPath(import.meta.resolve(name));
      throw notFound(projectDir, name);
    }
    const module = await imported(name, () => import(pathToFileURL(plugin.entry).href));
    if ("default" in module && isDefinition(module.default)) return plugin.entry;
    throw new OrgLoopError(
      "PLUGIN_INVALID",
      `package "${name}" has OrgLoop 0.7.9's form, which runs in a process only: expected a default export made by defineConnector, defineTransform or defineLogger`,
    );
  };
}

async function load(projectDir: string, name: string): Promise<PluginDefinition> {
  const own = Object.hasOwn(OWN, name) ? OWN[name] : undefined;
  const plugin = await findPlugin(projectDir, name);
  if (plugin !== undefined && (own === undefined || plugin.api === 1)) {
    return definitionOf(name, await imported(name, () => import(pathToFileURL(plugin.entry).href)));
  }
  if (own !== undefined) return definitionOf(name, await imported(name, own));
  throw notFound(projectDir, name);
}

async function imported(name: string, load: () => Promise<object>): Promise<object> {
  try {
    return await load();
  } catch (cause) {
    throw new OrgLoopError(
      "PLUGIN_BROKEN",
      `package "${name}" cannot be loaded: ${messageOf(cause)}. Try: npm install ${name}`,
      { cause },
    );
  }
}

async function definitionOf(name: string, module: object): Promise<PluginDefinition> {
  const exported = "default" in module ? module.default : undefined;
  if (isDefinition(exported)) return exported;
  const { isRegistering, legacyDefinition } = await import("./legacy-plugin.ts");
  if (isRegistering(module)) return legacyDefinition(name, module);
  throw new OrgLoopError(
    "PLUGIN_INVALID",
    `package "${name}" is no OrgLoop package: expected a default export made by defineConnector, defineTransform or defineLogger, or a register() as OrgLoop 0.7.9 has it`,
  );
}

const KINDS: readonly unknown[] = ["connector", "transform", "logger"];

function isDefinition(value: unknown): value is PluginDefinition {
  return (
    typeof value === "object" && value !== null && "kind" in value && KINDS.includes(value.kind)
  );
}

function notFound(projectDir: string, name: string): OrgLoopError {
  const hint = hintFor(name);
  const message = `package "${name}" is not installed in ${projectDir}${hint}`;
  return Object.assign(new OrgLoopError("PLUGIN_NOT_FOUND", message), { hint });
}

/**
 * What to do about a package that is not there. An unscoped name, or one of ours, is not named to
 * be installed: what is published under it is somebody else's, or nothing.
 */
function hintFor(name: string): string {
  const near = nearestName(name);
  if (near !== undefined) return `: did you mean "${near}"?`;
  if (/^@(?!orgloop\/)/.test(name)) return `: run npm install ${name} there`;
  if (name.startsWith(".")) return "";
  return ": `orgloop connectors list` shows what comes with OrgLoop";
}

/**
 * `github` is `@orgloop/connector-github`; otherwise the name with the fewest letters to change,
 * where these are few.
 */
function nearestName(name: string): string | undefined {
  const names = Object.keys(OWN);
  const short = names.find((own) => own.endsWith(`-${name}`));
  if (short !== undefined) return short;
  const ranked = names.map((own) => ({ own, steps: distance(name, own) }));
  const best = ranked.sort((a, b) => a.steps - b.steps)[0];
  return best !== undefined && best.steps <= name.length * 0.3 ? best.own : undefined;
}
