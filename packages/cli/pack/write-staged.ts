import { cpSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./packed-manifest.ts";

/** What every tarball has: the manifest, the licence, and the README of the package's folder. */
export function writeStaged(staged: string, directory: string, manifest: object): void {
  writeFileSync(path.join(staged, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(path.join(ROOT, "LICENSE"), path.join(staged, "LICENSE"));
  cpSync(path.join(directory, "README.md"), path.join(staged, "README.md"));
}
