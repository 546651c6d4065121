import { copyFileSync, mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import type { Plugin } from "esbuild";

const WORKER = /new URL\("\.\/([\w-]+)\.ts", import\.meta\.url\)/g;

/**
 * What code loads by a URL instead of an import is not part of a bundle by itself: a worker named
 * as `new URL("./NAME.ts", import.meta.url)` becomes NAME.js beside the bundle.
 */
export const bundleWorkers: Plugin = {
  name: "bundle-workers",
  setup(build) {
    const { outdir } = build.initialOptions;
    if (outdir === undefined) throw new Error("a bundle with workers needs an outdir");
    const bundled = new Set<string>();

    async function bundleWorker(entry: string): Promise<void> {
      if (bundled.has(entry)) return;
      bundled.add(entry);
      await build.esbuild.build({
        ...build.initialOptions,
        entryPoints: [entry],
        splitting: false,
      });
    }

    build.onLoad({ filter: /[\\/]src[\\/][^.]+\.ts$/ }, async ({ path: file }) => {
      const text = await readFile(file, "utf8");
      const workers = [...text.matchAll(WORKER)].map(([, name]) => name);
      for (const name of workers) await bundleWorker(path.join(path.dirname(file), `${name}.ts`));
      if (workers.length === 0) return null;
      return {
        contents: text.replace(WORKER, 'new URL("./$1.js", import.meta.url)'),
        loader: "ts",
      };
    });
  },
};

/** jq's WebAssembly goes where `jq-wasm` looks for it, once that is in the bundle. */
export const bundleJq: Plugin = {
  name: "bundle-jq",
  setup(build) {
    const { outdir } = build.initialOptions;
    if (outdir === undefined) throw new Error("a bundle with jq needs an outdir");
    build.onResolve({ filter: /^jq-wasm$/ }, ({ importer }) => {
      const from = path.dirname(createRequire(importer).resolve("jq-wasm"));
      mkdirSync(path.join(outdir, "build"), { recursive: true });
      copyFileSync(path.join(from, "build/jq.wasm"), path.join(outdir, "build/jq.wasm"));
      return null;
    });
  },
};
