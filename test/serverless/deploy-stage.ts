import { mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { putSecrets } from "./put-secrets.ts";
import { runToEnd } from "./run-to-end.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
export const SST = path.join(
  path.dirname(createRequire(import.meta.url).resolve("sst/package.json")),
  "cli/sst.js",
);

export interface StageOptions {
  /** As `inject("aws")` gives it. */
  readonly aws: { readonly endpoint: string; readonly env: Readonly<Record<string, string>> };
  /** The workspace. */
  readonly stage: string;
  /** The project's directory. */
  readonly project: string;
  /** Values of `${NAME}`. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/**
 * A stage as SST's command line deploys it, from a checkout of its own: two stages of one checkout
 * share `.sst/`.
 */
export interface SstStage {
  /**
   * Rejects with what SST printed where the deploy failed. Gives the outputs of all stacks. `from`
   * is the folder of a build: then that is deployed, as it is.
   */
  deploy(from?: string): Promise<Readonly<Record<string, string>>>;
  /** Synthesizes without deploying; gives the folder, with a `STACK.template.json` each. */
  build(): Promise<string>;
  /** What `sst diff` prints; its exit status says nothing. */
  diff(): Promise<string>;
  /** Removes the stage from AWS. */
  remove(): Promise<void>;
  /** Removes the checkout. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes ready to deploy: a checkout, and the secrets in SSM. */
export async function sstStage(options: StageOptions): Promise<SstStage> {
  const { aws, stage, project, secrets = {} } = options;
  const checkout = await linkedCheckout();
  await putSecrets(aws, stage, secrets);
  const sst = (command: string, ...args: readonly string[]) =>
    runToEnd([SST, command, ...args, "--stage", stage], {
      cwd: checkout,
      env: {
        ...aws.env,
        HOME: checkout,
        TMPDIR: tmpdir(),
        ORGLOOP_HOME: path.join(checkout, ".orgloop"),
        ORGLOOP_PROJECT: project,
        CI: "1",
        NO_COLOR: "1",
        // Without it a failure is a silent exit 0 where there is no internet.
        SST_TELEMETRY_DISABLED: "1",
      },
    });
  return {
    async deploy(from) {
      const { text, status } = await sst("deploy", ...(from ? ["--from", from] : []));
      if (status !== 0 || !text.includes("Deployed:")) throw new Error(text);
      return outputsOf(text);
    },
    async build() {
      const folder = path.join(checkout, "build");
      const { text, status } = await sst("build", "--to", folder);
      if (status !== 0) throw new Error(text);
      return folder;
    },
    diff: async () => (await sst("diff")).text,
    async remove() {
      const { text, status } = await sst("remove");
      if (status !== 0 || !text.includes("Removed")) throw new Error(text);
    },
    [Symbol.asyncDispose]: () => rm(checkout, { recursive: true, force: true }),
  };
}

/**
 * A folder in which everything of the repository lies as a link, so that SST writes beside it and
 * not into it.
 */
export async function linkedCheckout(): Promise<string> {
  const checkout = await mkdtemp(path.join(tmpdir(), "orgloop-checkout-"));
  for (const name of await readdir(ROOT)) {
    if (name.startsWith(".")) continue;
    await symlink(path.join(ROOT, name), path.join(checkout, name));
  }
  return checkout;
}

/** As they are printed: SST ends without waiting for its file of them. */
function outputsOf(text: string): Readonly<Record<string, string>> {
  const printed = text.slice(text.indexOf("Deployed:")).matchAll(/^ +(\w+): (\S+)$/gm);
  return Object.fromEntries(Array.from(printed, ([, name = "", value = ""]) => [name, value]));
}
