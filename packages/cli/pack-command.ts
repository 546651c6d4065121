import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { bundleCommand, EXTERNAL } from "./bundle-command.ts";

/** The packages that come with it, by name. */
export const DEPENDENCIES: readonly string[] = EXTERNAL;

const OWN = import.meta.dirname;
const run = promisify(execFile);

/**
 * Packs the command as people install it: its bundle, what `orgloop init` copies, and the packages that
 * are not in the bundle as its only dependencies. Gives the path of `orgloop-VERSION.tgz` in `directory`.
 */
export async function packCommand(directory: string): Promise<string> {
  const staged = mkdtempSync(path.join(tmpdir(), "orgloop-pack-"));
  try {
    await bundleCommand(path.join(staged, "dist"));
    rmSync(path.join(staged, "dist/sources.json"));
    for (const part of ["bin", "templates"]) {
      cpSync(path.join(OWN, part), path.join(staged, part), { recursive: true });
    }
    writeFileSync(path.join(staged, "package.json"), JSON.stringify(manifest(), null, 2));
    const options = ["--json", "--ignore-scripts", "--pack-destination", directory];
    const { stdout } = await run("npm", ["pack", ...options], { cwd: staged });
    const [{ filename }] = JSON.parse(stdout);
    return path.join(directory, filename);
  } finally {
    rmSync(staged, { recursive: true });
  }
}

function manifest(): object {
  const { version, description, license } = read(path.join(OWN, "package.json"));
  const { engines } = read(path.resolve(OWN, "../../package.json"));
  return {
    name: "orgloop",
    version,
    description,
    license,
    engines,
    type: "module",
    bin: { orgloop: "./bin/orgloop.js" },
    files: ["bin", "dist", "templates"],
    dependencies: Object.fromEntries(DEPENDENCIES.map((name) => [name, versionOf(name)])),
  };
}

/** Of those that the checkout has installed: a package's own manifest may be closed to `require`. */
function versionOf(name: string): string {
  const require = createRequire(path.resolve(OWN, "../bus/package.json"));
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return read(path.join(folder, name, "package.json")).version as string;
    } catch {}
  }
  throw new Error(`${name} is not installed`);
}

function read(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(file, "utf8"));
}
