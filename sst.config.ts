import { writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Stack } from "aws-cdk-lib";
import type { SSTConfig } from "sst";
import { Config } from "sst/constructs";
import type * as Deploy from "./packages/aws/src/deploy/index.ts";
import type * as Runtime from "./packages/node/src/index.ts";
import type * as Stacks from "./stacks/index.ts";

const APP = "orgloop";
/** Stages whose state stays when they are removed. */
const KEPT = ["production", "prod"];

// Sent before an error is told: where that cannot be sent, SST ends in silence, and with 0.
process.env.SST_TELEMETRY_DISABLED = "1";

/** Those that speak to AWS about a stage, and say when they are done. */
const COMMANDS = ["deploy", "diff", "remove", "build", "secrets"];
const command = process.argv.slice(2).find((word) => COMMANDS.includes(word));

/** What SST would swallow is told here, and fails. */
function fail(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  writeSync(2, `\nError: ${message}\n`);
  process.exit(1);
}

const root = process.cwd();
/** Imported by path at run time: what is named here, SST would bundle, and plugins are found on disk. */
const load = <Module>(path: string): Promise<Module> =>
  import(pathToFileURL(join(root, path)).href);
const stacksOf = () => load<typeof Stacks>("stacks/index.ts");
const projectDir = resolve(root, process.env.ORGLOOP_PROJECT ?? "examples/acme");

/**
 * Deploys a workspace of the organisation in `ORGLOOP_PROJECT` (default `examples/acme`). The stage is the workspace:
 * `npx sst deploy --stage production`.
 */
export default {
  async config({ stage, region, profile }) {
    const { preflight, rememberedStage } = await stacksOf();
    const { env } = process;
    if (command !== undefined)
      process.once("beforeExit", () => fail("it ended before it was done"));
    const wanted =
      command === undefined
        ? (region ?? env.AWS_REGION)
        : await preflight({
            ...{ command, projectDir, region, profile, env },
            stage: stage ?? env.SST_STAGE ?? rememberedStage(root),
          }).catch(fail);
    return {
      name: APP,
      ...(wanted ? { region: wanted } : {}),
      bootstrap: { useCdkBucket: true },
      // A stage whose name is long stands shortened in names.
      advanced: { disableParameterizedStackNameCheck: true },
    };
  },

  async stacks(app) {
    const { orgloopStacks, prepareStage, secretsOf } = await stacksOf();
    const { pluginEntry, pluginLookup } = await load<typeof Runtime>("packages/node/src/index.ts");
    const { deployedReader } = await load<typeof Deploy>("packages/aws/src/deploy/index.ts");
    const { stage, account, region } = app;
    const input = await prepareStage({
      projectDir,
      stage,
      env: process.env,
      lookup: pluginLookup({ projectDir }),
      entry: pluginEntry({ projectDir }),
      functionsDir: join(root, "functions"),
      outDir: join(root, ".sst/functions"),
      secretPrefix: `/sst/${APP}/${stage}/Secret/`,
      retain: KEPT.includes(stage),
      readDeployed: deployedReader({ stage, account, region, isRemoval: app.mode === "remove" }),
    });
    // SST's own stack: it makes `sst secrets` know them, and SST prepares the account for it.
    app.stack(function Secrets({ stack }) {
      for (const name of secretsOf(input.topology)) new Config.Secret(stack, name);
    });
    orgloopStacks(
      (stackName, description) =>
        new Stack(app, stackName, { stackName, description, env: { account, region } }),
      input,
    );
  },
} satisfies SSTConfig;
