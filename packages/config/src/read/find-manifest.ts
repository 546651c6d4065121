import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/**
 * The manifest that `path` (a project's directory, or its manifest) means, whether it exists or
 * not. Both are absolute.
 */
export function findManifest(path: string): { projectDir: string; manifestFile: string } {
  const absolute = resolve(path);
  if (statSync(absolute, { throwIfNoEntry: false })?.isFile()) {
    return { projectDir: dirname(absolute), manifestFile: absolute };
  }
  if (/\.ya?ml$/.test(absolute) && !existsSync(absolute)) {
    return { projectDir: dirname(absolute), manifestFile: absolute };
  }
  const names = ["orgloop.yaml", "orgloop.yml"].map((name) => join(absolute, name));
  const manifestFile = names.find((name) => existsSync(name)) ?? (names[0] as string);
  return { projectDir: absolute, manifestFile };
}
