import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { filledOnce } from "../emulators/filled-once.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** The npm that Node's releases have: nodejs.org/dist/index.json. */
const NPM_OF: Readonly<Record<string, string>> = { "22.18.0": "10.9.3" };

/**
 * Gives a folder for the PATH with the oldest Node that `engines` allows and its npm. The registry
 * gives them the first time; they stay in `.tools/`.
 */
export async function oldestNode(): Promise<{ readonly version: string; readonly bin: string }> {
  const { engines } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
  const version = `${engines.node.replace(">=", "")}.0`;
  const npm = NPM_OF[version];
  if (npm === undefined) throw new Error(`say here which npm Node ${version} has`);
  // The package `node` fetches the binary when it is installed.
  const manifest = { dependencies: { node: version, npm }, allowScripts: { node: true } };
  const recipe = JSON.stringify(manifest);
  const folder = await filledOnce("oldest-node", recipe, async (directory) => {
    writeFileSync(path.join(directory, "package.json"), recipe);
    const options = ["--no-audit", "--no-fund", "--prefer-offline"];
    await promisify(execFile)("npm", ["install", ...options], { cwd: directory });
  });
  return { version: `v${version}`, bin: path.join(folder, "node_modules/.bin") };
}
