import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { moduleReference, type PluginReference, pluginReference } from "@orgloop/config";
import { hasCode, messageOf, type PluginLookup } from "@orgloop/sdk";
import { parse } from "yaml";
import { installedFolder } from "../modules/module-folder.ts";
import { BUNDLED_MODULES, MODULES } from "../package-files.ts";

/** What can be named in `connector`, `type` or `package`, or why it cannot be told of. */
export type NamedPackage =
  | { readonly origin: "orgloop" | "project"; readonly reference: PluginReference }
  | { readonly origin: "project"; readonly name: string; readonly problem: string };

const MANIFEST = "orgloop-module.yaml";

/** What comes with OrgLoop: plugins, then modules. */
export async function ownReferences(
  names: readonly string[],
  lookup: PluginLookup,
): Promise<readonly PluginReference[]> {
  const plugins = await Promise.all(
    names.map(async (name) => pluginReference(name, await lookup(name))),
  );
  return [...plugins, ...shippedModules()];
}

function shippedModules(): readonly PluginReference[] {
  const bundled = existsSync(BUNDLED_MODULES);
  const folder = bundled ? BUNDLED_MODULES : MODULES;
  return readdirSync(folder)
    .map((entry) => [
      path.basename(entry, ".yaml"),
      bundled ? path.join(folder, entry) : path.join(folder, entry, MANIFEST),
    ])
    .filter(([, file = ""]) => existsSync(file))
    .map(([name, file = ""]) => moduleReference(`@orgloop/module-${name}`, readYaml(file)))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

const readYaml = (file: string): unknown => parse(readFileSync(file, "utf8"));

/**
 * What else a project can name: what it does name (`named`), the modules in its `modules/`, and
 * those of its dependencies that are a plugin or a module. A package that cannot be loaded is told
 * of where it is named, or calls itself a plugin.
 */
export async function projectPackages(
  projectDir: string,
  lookup: PluginLookup,
  own: ReadonlySet<string>,
  named: readonly string[],
): Promise<readonly NamedPackage[]> {
  const local = path.join(projectDir, "modules");
  const folders = existsSync(local) ? readdirSync(local) : [];
  const modules = folders
    .filter((name) => existsSync(path.join(local, name, MANIFEST)))
    .map((name) => `./modules/${name}`);
  const written = new Set([...modules, ...named].filter((name) => !own.has(name)));
  const others = dependenciesOf(projectDir).filter((name) => !own.has(name) && !written.has(name));
  const all = await Promise.all(
    [...written, ...others].sort().map((name) => packageOf(name, projectDir, lookup)),
  );
  // A dependency that is named nowhere, and is no plugin, is something else.
  return all.filter((one) => !("problem" in one) || written.has(one.name) || CALLED.test(one.name));
}

async function packageOf(
  name: string,
  projectDir: string,
  lookup: PluginLookup,
): Promise<NamedPackage> {
  try {
    return { origin: "project", reference: await findReference(name, projectDir, lookup) };
  } catch (error) {
    return { origin: "project", name, problem: messageOf(error) };
  }
}

/**
 * What is told of the package or folder of this name. Throws `PLUGIN_NOT_FOUND`, and what the
 * lookup does.
 */
export async function findReference(
  name: string,
  projectDir: string,
  lookup: PluginLookup,
): Promise<PluginReference> {
  const folder = /^\.{0,2}[/\\]/.test(name)
    ? path.resolve(projectDir, name)
    : installedFolder(projectDir, name);
  const manifest = folder === null ? null : path.join(folder, MANIFEST);
  if (manifest !== null && existsSync(manifest)) return moduleReference(name, readYaml(manifest));
  return pluginReference(name, await lookup(name));
}

const CALLED = /(^|[/-])(connector|transform|logger)-/;

function dependenciesOf(projectDir: string): readonly string[] {
  const { dependencies, devDependencies } = readManifest(path.join(projectDir, "package.json"));
  return Object.keys({ ...dependencies, ...devDependencies }).filter((name) => {
    const folder = installedFolder(projectDir, name);
    if (folder === null) return false;
    if (existsSync(path.join(folder, MANIFEST)) || CALLED.test(name)) return true;
    const manifest = readManifest(path.join(folder, "package.json"));
    const needs = { ...manifest.dependencies, ...manifest.peerDependencies };
    return Object.hasOwn(needs, "@orgloop/sdk");
  });
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

function readManifest(file: string): Manifest {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Manifest;
  } catch (error) {
    // What is no package has no dependencies; a manifest that is broken is npm's to tell.
    if (hasCode(error, "ENOENT") || error instanceof SyntaxError) return {};
    throw error;
  }
}
