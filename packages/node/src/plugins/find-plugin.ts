import { readFile, realpath, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { hasCode, OrgLoopError } from "@orgloop/sdk";

/** Where a package, or a file of the project, begins. */
export interface FoundPlugin {
  /** Absolute path of the module to import. */
  readonly entry: string;
  /** `orgloop.api` of its `package.json`. */
  readonly api: unknown;
}

const PACKAGE_NAME = /^(@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*$/i;

/**
 * What `import "NAME"` would find from the project, or `./file.js` inside it; undefined where there
 * is nothing. Node has no way to resolve a package's `import` entry from another folder, hence this
 * walk through its `package.json`. Throws `PLUGIN_INVALID` for a path that leaves the project, also
 * by a link.
 */
export async function findPlugin(
  projectDir: string,
  name: string,
): Promise<FoundPlugin | undefined> {
  if (name.startsWith("./") || name.startsWith("../")) return findFile(projectDir, name);
  if (!PACKAGE_NAME.test(name)) return undefined;
  const require = createRequire(join(projectDir, "package.json"));
  for (const folder of require.resolve.paths(name) ?? []) {
    const dir = join(folder, name);
    const manifest = await readManifest(join(dir, "package.json"));
    if (manifest === undefined) continue;
    const target = exportTarget(manifest.exports);
    const entry = target === undefined ? require.resolve(dir) : resolve(dir, target);
    return { entry: await realpath(entry), api: Object(manifest.orgloop).api };
  }
  return undefined;
}

async function findFile(projectDir: string, name: string): Promise<FoundPlugin | undefined> {
  const root = await realpath(projectDir);
  const entry = await realpath(resolve(root, name)).catch(() => undefined);
  if (entry === undefined || !(await stat(entry)).isFile()) return undefined;
  const inside = relative(root, entry);
  if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    throw new OrgLoopError("PLUGIN_INVALID", `${name} is outside the project`);
  }
  return { entry, api: undefined };
}

async function readManifest(path: string): Promise<Record<string, unknown> | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return undefined;
    throw error;
  }
}

const CONDITIONS = ["node", "import", "module-sync", "default"];

/**
 * The main entry of `exports` (Node's documentation, Packages); undefined where it has none and
 * `main` counts.
 */
function exportTarget(exports: unknown): string | undefined {
  if (typeof exports === "string") return exports;
  if (typeof exports !== "object" || exports === null) return undefined;
  if (Array.isArray(exports)) {
    return exports.map(exportTarget).find((target) => target !== undefined);
  }
  if ("." in exports) return exportTarget(exports["."]);
  for (const [condition, value] of Object.entries(exports)) {
    const target = CONDITIONS.includes(condition) ? exportTarget(value) : undefined;
    if (target !== undefined) return target;
  }
  return undefined;
}
