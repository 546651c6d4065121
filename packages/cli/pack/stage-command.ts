import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { bundleCommand, EXTERNAL } from "../bundle-command.ts";
import { manPage } from "../src/manual/man-page.ts";
import { orgloopProgram } from "../src/program.ts";
import { bundledLicenses } from "./bundled-licenses.ts";
import { packedManifest, ROOT, readManifest } from "./packed-manifest.ts";
import { writeStaged } from "./write-staged.ts";

/** The packages that come with the command, by name. */
export const COMMAND_DEPENDENCIES: readonly string[] = EXTERNAL;

const OWN = path.join(ROOT, "packages/cli");

/**
 * Fills the empty folder `staged` with the command as people install it: its bundle, what `orgloop
 * init` copies, and the packages that are not in the bundle as its only dependencies.
 */
export async function stageCommand(staged: string): Promise<void> {
  const inputs = await bundleCommand(path.join(staged, "dist"));
  writeFileSync(path.join(staged, "dist/LICENSES.txt"), bundledLicenses(inputs));
  rmSync(path.join(staged, "dist/sources.json"));
  for (const part of ["bin", "templates"]) {
    cpSync(path.join(OWN, part), path.join(staged, part), { recursive: true });
  }
  mkdirSync(path.join(staged, "man"));
  const page = manPage(orgloopProgram(), readManifest(OWN).version);
  writeFileSync(path.join(staged, "man/orgloop.1"), page);
  const manifest = packedManifest(OWN, {
    name: "orgloop",
    bin: { orgloop: "./bin/orgloop.js" },
    exports: { "./package.json": "./package.json" },
    files: ["bin", "dist", "man", "templates"],
    man: ["./man/orgloop.1"],
    dependencies: Object.fromEntries(COMMAND_DEPENDENCIES.map((name) => [name, versionOf(name)])),
  });
  writeStaged(staged, OWN, manifest);
}

/**
 * Of those that the checkout has installed: a package's own manifest may be closed to `require`.
 */
function versionOf(name: string): string {
  const require = createRequire(path.join(ROOT, "packages/bus/package.json"));
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return readManifest(path.join(folder, name)).version;
    } catch {}
  }
  throw new Error(`${name} is not installed`);
}
