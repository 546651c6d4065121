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
  async config({ stage, region }) {
    const { stageRegion } = await stacksOf();
    const named = await stageRegion({ projectDir, stage, env: process.env });
    const wanted = region ?? named ?? process.env.AWS_REGION;
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
