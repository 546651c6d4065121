import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "esbuild";

/** What functions have in the place of parts of the SDK that no Lambda uses: the search for credentials, browsers, endpoint discovery. */
export const LAMBDA_ALIASES = {
  "@aws-sdk/credential-provider-node": join(import.meta.dirname, "lambda-credentials.ts"),
  bowser: join(import.meta.dirname, "no-browser.ts"),
  "mnemonist/lru-cache": join(import.meta.dirname, "no-lru-cache.ts"),
};

const SDK =
  /^@(aws-sdk\/(client-|middleware-sdk-s3|signature-v4-multi-region)|smithy\/signature-v4$)/;

const CLIENT = /^@aws-sdk\/client-[\w-]+/;

/**
 * Every package's copy of an SDK client that `@orgloop/serverless` depends on is its: npm may have installed several versions of one. Another
 * client is that of the package which imports it.
 */
export const oneSdk = (functionsDir: string): Plugin => ({
  name: "one-sdk",
  setup(build) {
    let host: Promise<{ resolveDir: string; clients: ReadonlySet<string> }> | undefined;
    const openHost = async () => {
      const options = { kind: "import-statement", resolveDir: functionsDir } as const;
      const { path } = await build.resolve("@orgloop/serverless", options);
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

const CONSTANT = /^const (_\w+) = ("[^"\n]*");$/gm;
const COMPUTED_KEY = /\[(_\w+)\](?=:)/g;
/** Of errors, only these are read for more than their names: for the item that stood in a condition's way, for the conditions that failed. */
const OTHER_ERROR_CLASS =
  /^n0_registry\.registerError\((?!(?:ConditionalCheckFailed|TransactionCanceled)Exception\$).*\);$/gm;

/**
 * The SDK's schemas write their keys as `[_key]`, with `_key` a constant of the same file. A bundler must keep an object with computed
 * keys, and with it every operation of a service; with the keys written out it keeps those that are used. Errors are
 * registered with their classes, 130 of them in SSM: without that they are told apart by their names, as we do.
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
      return { contents: written.replace(OTHER_ERROR_CLASS, ""), loader: "js" };
    });
    // Clients read their version.
    build.onLoad(
      { filter: /[\\/]@aws-sdk[\\/]client-[\w-]+[\\/]package\.json$/ },
      async ({ path }) => {
        const { version } = JSON.parse(await readFile(path, "utf8"));
        return { contents: JSON.stringify({ version }), loader: "json" };
      },
    );
  },
};

const JS_CHECKSUM = /^\.\/(Sha256|Md5|Crc32)Js$/;

/** Node has checksums of its own, and only S3's client has streams of events, which it imports at its start. */
export const smallerCore: Plugin = {
  name: "smaller-core",
  setup(build) {
    const ofCore = (importer: string) => /[\\/]@smithy[\\/]core[\\/]/.test(importer);
    build.onResolve({ filter: JS_CHECKSUM }, ({ importer }) =>
      ofCore(importer) ? { path: join(import.meta.dirname, "native-checksums.ts") } : null,
    );
    build.onResolve({ filter: /^@smithy\/core\/event-streams$/ }, ({ importer, kind }) =>
      ofCore(importer) && kind === "dynamic-import"
        ? { path: join(import.meta.dirname, "no-event-streams.ts") }
        : null,
    );
  },
};

const JSON_SCHEMA = /^(\.|\.\.\/core)\/(to-json-schema|json-schema-processors)\.js$/;

/** Functions check configurations; only the command line writes JSON Schemas. */
export const noJsonSchemas: Plugin = {
  name: "no-json-schemas",
  setup(build) {
    build.onResolve({ filter: JSON_SCHEMA }, ({ importer }) =>
      /[\\/]zod[\\/]/.test(importer)
        ? { path: join(import.meta.dirname, "no-json-schema.ts") }
        : null,
    );
  },
};
