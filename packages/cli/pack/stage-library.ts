import { cpSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { bundleWorkers } from "../bundle-assets.ts";
import { packedManifest, ROOT } from "./packed-manifest.ts";
import { writeStaged } from "./write-staged.ts";

const PLUGIN = /^packages\/(connectors|transforms|loggers)\//;

/**
 * Fills the empty folder `staged` with a package that others import: plain JavaScript, a file for
 * each part that is loaded by itself, and the declarations, which `types` has below the same path
 * as the sources have below the repository's root. What it depends on stays a dependency.
 */
export async function stageLibrary(
  directory: string,
  types: string,
  staged: string,
): Promise<void> {
  const inRoot = path.relative(ROOT, directory);
  await build({
    absWorkingDir: directory,
    entryPoints: ["src/index.ts"],
    outdir: path.join(staged, "dist"),
    bundle: true,
    splitting: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node22",
    legalComments: "none",
    logLevel: "warning",
    plugins: [bundleWorkers],
  });
  cpSync(path.join(types, inRoot, "src"), path.join(staged, "dist"), { recursive: true });
  const manifest = packedManifest(directory, {
    exports: {
      ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
      "./package.json": "./package.json",
    },
    files: ["dist"],
    // It is taken instead of the one in the command's bundle: packages/node/src/plugins/plugins.ts.
    ...(PLUGIN.test(inRoot) && { orgloop: { api: 1 } }),
  });
  writeStaged(staged, directory, manifest);
}
