import { rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";

/*
 * Puts the command and all that it imports into dist/, a file for each part that is loaded by itself: reading some hundred modules
 * one by one takes longer than most commands do. dist/sources.json says of which sources it is.
 */
const ROOT = path.resolve(import.meta.dirname, "../..");
const OUT = path.join(import.meta.dirname, "dist");

rmSync(OUT, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: ROOT,
  entryPoints: [path.join(import.meta.dirname, "src/main.ts")],
  outdir: OUT,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node22",
  metafile: true,
  legalComments: "none",
  logLevel: "warning",
  // Native code; and CommonJS that is imported when it is needed, of which a bundle would give the default export only.
  external: ["@node-rs/crc32", "yaml"],
  // Packages that are CommonJS ask for Node's own modules by require.
  banner: {
    js: 'import { createRequire as orgloopRequire } from "node:module"; const require = orgloopRequire(import.meta.url);',
  },
});
const sources = Object.keys(metafile.inputs).filter((file) => !/(^|\/)node_modules\//.test(file));
const changed = sources.map((file) => [file, statSync(path.join(ROOT, file)).mtimeMs]);
writeFileSync(path.join(OUT, "sources.json"), JSON.stringify(Object.fromEntries(changed)));
