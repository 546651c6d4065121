import { copyFileSync, mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import type { Plugin } from "esbuild";

/** Of the checkout's, or of a project's installed copy. */
const FILTER_MODULE =
  /[\\/](filter[\\/]src[\\/]jq-engine\.ts|transform-filter[\\/]dist[\\/].*\.js)$/;

/** A filter's `jq` runs in a worker, a file of its own: a bundle has it under this name. */
export const jqWorker: Plugin = {
  name: "jq-worker",
  setup(build) {
    build.onLoad({ filter: FILTER_MODULE }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(
        /"\.\/jq-worker\.[jt]s", import/,
        '"./jq-worker.mjs", import',
      ),
      loader: path.endsWith(".ts") ? "ts" : "js",
    }));
  },
};

/**
 * jq itself, in WebAssembly, where `jq-wasm` looks for it: beside the code. `filter` is the module
 * of the transform that uses it.
 */
export function copyJq(filter: string, directory: string): void {
  const wasm = join("build", "jq.wasm");
  mkdirSync(join(directory, "build"), { recursive: true });
  copyFileSync(
    join(dirname(createRequire(filter).resolve("jq-wasm")), wasm),
    join(directory, wasm),
  );
}

/** The worker's module, beside the transform's. */
export const jqWorkerOf = (filter: string): string =>
  join(dirname(filter), `jq-worker${extname(filter)}`);
