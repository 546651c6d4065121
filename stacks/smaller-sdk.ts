import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "esbuild";

/** What functions have in the place of parts of the SDK that no Lambda uses: the search for credentials, browsers. */
export const LAMBDA_ALIASES = {
  "@aws-sdk/credential-provider-node": join(import.meta.dirname, "lambda-credentials.ts"),
  bowser: join(import.meta.dirname, "no-browser.ts"),
};

const SDK = /^@aws-sdk\/(client-|middleware-sdk-s3|signature-v4-multi-region)/;

/** Every package's copy of an SDK client is the one of `@orgloop/serverless`: npm may have installed several versions of one. */
export const oneSdk = (functionsDir: string): Plugin => ({
  name: "one-sdk",
  setup(build) {
    let host: Promise<string> | undefined;
    const hostDir = async () => {
      const options = { kind: "import-statement", resolveDir: functionsDir } as const;
      const { path } = await build.resolve("@orgloop/serverless", options);
      return join(path, "..");
    };
    build.onResolve({ filter: SDK }, async ({ path, kind, pluginData }) => {
      if (pluginData === oneSdk) return undefined;
      host ??= hostDir();
      const found = await build.resolve(path, { kind, resolveDir: await host, pluginData: oneSdk });
      return found.errors.length === 0 ? { path: found.path, sideEffects: false } : undefined;
    });
  },
});

const CONSTANT = /^const (_\w+) = ("[^"\n]*");$/gm;
const COMPUTED_KEY = /\[(_\w+)\](?=:)/g;
const SSM_ERROR = /^n0_registry\.registerError\(.*\);$/gm;

/**
 * The SDK's schemas write their keys as `[_key]`, with `_key` a constant of the same file. A bundler must keep an object with computed
 * keys, and with it every operation of a service; with the keys written out it keeps those that are used. SSM's 130 errors are
 * registered with their classes: without that they are told apart by their names, as we do.
 */
export const smallerSchemas: Plugin = {
  name: "smaller-schemas",
  setup(build) {
    build.onLoad({ filter: /[\\/]@aws-sdk[\\/].*[\\/]schemas_\d+\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const constants = new Map(
        [...text.matchAll(CONSTANT)].map(([, name, value]) => [name, value]),
      );
      const written = text.replace(COMPUTED_KEY, (key, name) => constants.get(name) ?? key);
      const contents = path.includes("client-ssm") ? written.replace(SSM_ERROR, "") : written;
      return { contents, loader: "js" };
    });
  },
};
