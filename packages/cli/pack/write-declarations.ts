import { execFile } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { ROOT, readManifest } from "./packed-manifest.ts";

/**
 * Writes the `.d.ts` of what the entries of the packages in `directories` reach into `out`, each
 * below its path from the repository's root.
 */
export async function writeDeclarations(
  directories: readonly string[],
  out: string,
): Promise<void> {
  const config = path.join(out, "tsconfig.json");
  const entries = directories.map((directory) => [
    readManifest(directory).name,
    path.join(directory, "src/index.ts"),
  ]);
  const options = {
    extends: path.join(ROOT, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      outDir: out,
      rootDir: ROOT,
      // What is found by way of node_modules counts as others' and is not emitted.
      paths: Object.fromEntries(entries.map(([name = "", entry]) => [name, [entry]])),
      typeRoots: [path.join(ROOT, "node_modules/@types")],
    },
    include: [],
    files: entries.map(([, entry]) => entry),
  };
  writeFileSync(config, JSON.stringify(options));
  await promisify(execFile)(path.join(ROOT, "node_modules/.bin/tsc"), ["-p", config]);
  for (const file of globSync("**/*.d.ts", { cwd: out })) nameJavaScript(path.join(out, file));
}

/**
 * An import in a declaration names the JavaScript; tsc leaves the extension of the source there.
 */
function nameJavaScript(file: string): void {
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/(?<=(?:from |import\()"\.{1,2}\/[^"]+)\.ts(?=")/g, ".js"));
}
