import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256 } from "@orgloop/aws/plan";
import { build } from "esbuild";
import type { BundleLookup, FunctionKind } from "../stage.ts";
import { copyJq, jqWorker, jqWorkerOf } from "./jq-worker.ts";
import { oneSdk } from "./one-sdk.ts";

export interface FunctionBundles {
  /** Holds `poll.ts`, `route.ts` … */
  readonly functionsDir: string;
  readonly outDir: string;
  /** The absolute path of a package's module. */
  readonly entry: (packageName: string) => string;
  /**
   * Files that the router's bundle holds under `project/`: scripts of transforms, by their path in
   * the project.
   */
  readonly scripts: ReadonlyMap<string, Uint8Array>;
  /**
   * Whether a filter has a `jq` expression: then the router holds jq, a megabyte that it loads for
   * such a filter only.
   */
  readonly jq: boolean;
  /**
   * Whether a source has schemas: then what takes events in holds what compiles them, 0.3 MB that
   * it loads for them.
   */
  readonly schemas: boolean;
  /** Kinds of functions, each with its packages. */
  readonly wanted: readonly (readonly [FunctionKind, readonly string[]])[];
}

/**
 * Bundles functions with the packages that they need, one bundle a kind and set of packages; gives
 * their directories. Functions import what they hold as `plugins` of `orgloop:plugins`. Source maps
 * lie beside the code and are not deployed.
 */
export async function bundleFunctions(options: FunctionBundles): Promise<BundleLookup> {
  const made = new Map<string, string>();
  await Promise.all(
    options.wanted.map(async ([kind, packages]) => {
      const key = keyOf(kind, packages);
      const directory = join(options.outDir, key);
      made.set(key, directory);
      await bundle(options, kind, packages, directory);
    }),
  );
  return (kind, packages) => {
    const directory = made.get(keyOf(kind, packages));
    if (directory === undefined) throw new Error(`no bundle of ${kind} with ${packages}`);
    return directory;
  };
}

const FILTER = "@orgloop/transform-filter";

const keyOf = (kind: FunctionKind, packages: readonly string[]) =>
  `${kind}-${sha256(JSON.stringify(packages)).slice(0, 8)}`;

async function bundle(
  { functionsDir, entry, scripts, jq, schemas }: FunctionBundles,
  kind: FunctionKind,
  packages: readonly string[],
  directory: string,
): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const pluginsFile = `${directory}.plugins.mjs`;
  writeFileSync(pluginsFile, pluginsModule(packages, entry));
  const filter = kind === "route" && jq && packages.includes(FILTER) ? entry(FILTER) : undefined;
  await build({
    entryPoints: [
      { in: join(functionsDir, `${kind}.ts`), out: "index" },
      ...(filter ? [{ in: jqWorkerOf(filter), out: "jq-worker" }] : []),
    ],
    outdir: directory,
    outExtension: { ".js": ".mjs" },
    // What is imported when it is needed is loaded then: a cold start reads the rest only.
    splitting: true,
    alias: { "orgloop:plugins": pluginsFile },
    plugins: [oneSdk(functionsDir), jqWorker],
    bundle: true,
    // Left out, and then never imported.
    external: schemas ? [] : ["@orgloop/engine/event-schemas"],
    platform: "node",
    target: "node24",
    format: "esm",
    // The ES modules of a package, where it has them: what is not used of them stays out.
    mainFields: ["module", "main"],
    minify: true,
    sourcemap: "external",
    legalComments: "none",
    logLevel: "silent",
    // What is CommonJS asks for Node's own modules by require.
    banner: {
      js: 'import{createRequire as orgloopRequire}from"node:module";const require=orgloopRequire(import.meta.url);',
    },
  });
  if (filter) copyJq(filter, directory);
  if (kind !== "route") return;
  for (const [path, content] of scripts) {
    const file = join(directory, "project", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode: 0o755 });
  }
}

function pluginsModule(packages: readonly string[], entry: (name: string) => string): string {
  const imports = packages.map((name, at) => `import p${at} from ${JSON.stringify(entry(name))};`);
  const entries = packages.map((name, at) => `${JSON.stringify(name)}: p${at}`);
  return `${imports.join("\n")}\nexport const plugins = { ${entries.join(", ")} };\n`;
}
