import { cpSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build, type Plugin } from "esbuild";
import { bundleJq, bundleWorkers } from "./bundle-assets.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/**
 * Not in the bundle: native code, and CommonJS of which a bundle would give the default export
 * only.
 */
export const EXTERNAL = ["@node-rs/crc32", "yaml"] as const;

/**
 * Puts the command and all that it imports or reads into `out`, a file for each part that is loaded
 * by itself: reading some hundred modules one by one takes longer than most commands do.
 * `sources.json` says of which sources it is. Gives the files that are in it, relative to the
 * repository's root.
 */
export async function bundleCommand(out: string): Promise<ReadonlySet<string>> {
  rmSync(out, { recursive: true, force: true });
  const inputs = new Set<string>();
  await build({
    absWorkingDir: ROOT,
    entryPoints: [path.join(import.meta.dirname, "src/main.ts")],
    outdir: out,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node22",
    metafile: true,
    legalComments: "none",
    logLevel: "warning",
    external: [...EXTERNAL],
    plugins: [bundleWorkers, bundleJq, addInputs(inputs)],
    // Packages that are CommonJS ask for Node's own modules by require.
    banner: {
      js: 'import { createRequire as orgloopRequire } from "node:module"; const require = orgloopRequire(import.meta.url);',
    },
  });
  cpSync(path.join(ROOT, "packages/config/schemas"), path.join(out, "schemas"), {
    recursive: true,
  });
  for (const name of readdirSync(path.join(ROOT, "modules"))) {
    const manifest = path.join(ROOT, "modules", name, "orgloop-module.yaml");
    if (existsSync(manifest)) cpSync(manifest, path.join(out, "shipped-modules", `${name}.yaml`));
  }
  const sources = [...inputs].filter((file) => !/(^|\/)node_modules\//.test(file));
  const changed = sources.map((file) => [file, statSync(path.join(ROOT, file)).mtimeMs]);
  writeFileSync(path.join(out, "sources.json"), JSON.stringify(Object.fromEntries(changed)));
  return inputs;
}

/** Also those of workers, which are built by themselves. */
function addInputs(inputs: Set<string>): Plugin {
  return {
    name: "add-inputs",
    setup: (build) =>
      build.onEnd(({ metafile }) => {
        for (const file of Object.keys(metafile?.inputs ?? {})) inputs.add(file);
      }),
  };
}
