import { copyFileSync, mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Plugin } from "esbuild";

/** A filter's `jq` runs in a worker, a file of its own: a bundle has it under this name. */
export const jqWorker: Plugin = {
  name: "jq-worker",
  setup(build) {
    build.onLoad({ filter: /[\\/]filter[\\/]src[\\/]jq-engine\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(
        '"./jq-worker.ts", import',
        '"./jq-worker.mjs", import',
      ),
      loader: "ts",
    }));
  },
};

/** jq itself, in WebAssembly, where `jq-wasm` looks for it: beside the code. `filter` is the module of the transform that uses it. */
export function copyJq(filter: string, directory: string): void {
  const wasm = join("build", "jq.wasm");
  mkdirSync(join(directory, "build"), { recursive: true });
  copyFileSync(
    join(dirname(createRequire(filter).resolve("jq-wasm")), wasm),
    join(directory, wasm),
  );
}
