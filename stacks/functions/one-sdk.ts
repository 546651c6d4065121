import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "esbuild";

const SDK =
  /^@(aws-sdk\/(client-|middleware-sdk-s3|signature-v4-multi-region)|smithy\/signature-v4$)/;

const CLIENT = /^@aws-sdk\/client-[\w-]+/;

/**
 * Every package's copy of an SDK client that `@orgloop/aws` depends on is its: npm may have
 * installed several versions of one. Another client is that of the package which imports it.
 */
export const oneSdk = (functionsDir: string): Plugin => ({
  name: "one-sdk",
  setup(build) {
    let host: Promise<{ resolveDir: string; clients: ReadonlySet<string> }> | undefined;
    const openHost = async () => {
      const options = { kind: "import-statement", resolveDir: functionsDir } as const;
      const { path } = await build.resolve("@orgloop/aws", options);
      const resolveDir = join(path, "..");
      const text = await readFile(join(resolveDir, "..", "package.json"), "utf8");
      return { resolveDir, clients: new Set(Object.keys(JSON.parse(text).dependencies)) };
    };
    build.onResolve({ filter: SDK }, async ({ path, kind, pluginData }) => {
      if (pluginData === oneSdk) return undefined;
      host ??= openHost();
      const { resolveDir, clients } = await host;
      const [client] = CLIENT.exec(path) ?? [];
      if (client !== undefined && !clients.has(client)) return undefined;
      const found = await build.resolve(path, { kind, resolveDir, pluginData: oneSdk });
      return found.errors.length === 0 ? { path: found.path, sideEffects: false } : undefined;
    });
  },
});
