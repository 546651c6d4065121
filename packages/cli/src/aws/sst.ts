import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { CommandError } from "../command-error.ts";

export type SstCommand = "deploy" | "diff" | "remove";

export interface SstRun {
  readonly command: SstCommand;
  readonly stage: string;
  readonly projectDir: string;
  readonly env: NodeJS.ProcessEnv;
  /** Takes what it prints, as it does. */
  readonly show: (text: string) => void;
}

/** What SST prints when it has done it; its exit status alone says nothing. */
const DONE: Readonly<Record<SstCommand, RegExp>> = {
  deploy: /Deployed:/,
  diff: /Diff:|: No changes|: \d+ changes?|New stack/,
  remove: /Removed/,
};

/**
 * Runs SST's command line over a stage. Resolves with all that it printed, once it is done; rejects
 * with `DEPLOY_FAILED` where it is not, whatever its exit status says.
 */
export async function runSst(run: SstRun): Promise<string> {
  const { command, stage, projectDir, env, show } = run;
  const checkout = checkoutOf(projectDir);
  const child = spawn(process.execPath, [sstOf(checkout), command, "--stage", stage], {
    cwd: checkout,
    env: {
      ...env,
      ORGLOOP_PROJECT: projectDir,
      SST_TELEMETRY_DISABLED: "1",
      CI: "1",
      NO_COLOR: "1",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      show(piece);
    });
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  if (status === 0 && DONE[command].test(text)) return text;
  const why =
    /^Error: (.+)$/m.exec(text)?.[1] ?? `sst ${command} ended with ${status ?? "a signal"}`;
  const message = `${command} of "${stage}" was not done: ${why}`;
  throw new CommandError("DEPLOY_FAILED", message);
}

/** The outputs of all stacks, as SST prints them. */
export function outputsOf(text: string): Readonly<Record<string, string>> {
  const printed = text.slice(text.indexOf("Deployed:")).matchAll(/^ +(\w+): (\S+)$/gm);
  return Object.fromEntries(Array.from(printed, ([, name = "", value = ""]) => [name, value]));
}

/** Where `sst.config.ts` lies: at the project or above it, else above the working directory. */
function checkoutOf(projectDir: string): string {
  const found = [projectDir, process.cwd()].flatMap((start) => above(start)).find(hasConfig);
  if (found !== undefined) return found;
  throw new CommandError(
    "NO_DEPLOY_CONFIG",
    `no sst.config.ts at ${projectDir}, above it, or above ${process.cwd()}: deploys run from a checkout of OrgLoop (\`orgloop init --aws\` says how)`,
  );
}

const hasConfig = (directory: string): boolean => existsSync(path.join(directory, "sst.config.ts"));

function above(directory: string): readonly string[] {
  const parent = path.dirname(directory);
  return parent === directory ? [directory] : [directory, ...above(parent)];
}

function sstOf(checkout: string): string {
  try {
    const manifest = createRequire(path.join(checkout, "package.json")).resolve("sst/package.json");
    return path.join(path.dirname(manifest), "cli/sst.js");
  } catch (cause) {
    const message = `sst is not installed in ${checkout}: \`npm install\` there`;
    throw new CommandError("NO_DEPLOY_CONFIG", message, { cause });
  }
}
