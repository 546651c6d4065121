import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Bytes of a function's code, minified. */
export interface BundleSize {
  /** What a cold start loads. */
  readonly start: number;
  /**
   * The whole: with what is loaded when it is needed, e.g. secrets and regular expressions. Without
   * source maps, which are not deployed.
   */
  readonly all: number;
}

const STATIC_IMPORT = /(?:\bfrom|\bimport)\s*"\.\/([^"]+)"/g;

/** Measures a bundle of `bundleFunctions`. */
export function bundleSize(directory: string): BundleSize {
  const size = (file: string) => statSync(join(directory, file)).size;
  const sum = (files: Iterable<string>) => [...files].reduce((all, file) => all + size(file), 0);
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    const text = readFileSync(join(directory, file), "utf8");
    for (const [, imported = ""] of text.matchAll(STATIC_IMPORT)) load(imported);
  };
  load("index.mjs");
  const files = readdirSync(directory).filter((file) => file.endsWith(".mjs"));
  return { start: sum(loaded), all: sum(files) };
}
