import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "esbuild";

/** An esbuild alias: credentials from the environment only. */
export const lambdaCredentials = {
  "@aws-sdk/credential-provider-node": join(import.meta.dirname, "lambda-credentials.ts"),
};

const CONSTANT = /^const (_\w+) = ("[^"\n]*");$/gm;
const COMPUTED_KEY = /\[(_\w+)\](?=:)/g;

/**
 * The SDK's schemas write their keys as `[_key]`, with `_key` a constant of the same file. A bundler must keep an object with computed
 * keys, and with it every operation of a service; with the keys written out it keeps those that are used.
 */
export const literalKeys: Plugin = {
  name: "literal-keys",
  setup(build) {
    build.onLoad({ filter: /[\\/]@aws-sdk[\\/].*[\\/]schemas_\d+\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const constants = new Map(
        [...text.matchAll(CONSTANT)].map(([, name, value]) => [name, value]),
      );
      const contents = text.replace(COMPUTED_KEY, (key, name) => constants.get(name) ?? key);
      return { contents, loader: "js" };
    });
  },
};
