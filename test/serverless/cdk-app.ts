import path from "node:path";
import { deployedReader } from "@orgloop/aws/deploy";
import { pluginEntry, pluginLookup } from "@orgloop/node";
import { orgloopStacks, prepareStage } from "@orgloop/stacks";
import { App, CliCredentialsStackSynthesizer, type IStackSynthesizer, Stack } from "aws-cdk-lib";

/** What `cdkStage` hands over in `ORGLOOP_CDK_APP`. */
export interface CdkApp {
  readonly stage: string;
  readonly project: string;
  readonly account: string;
  readonly region: string;
  readonly secretPrefix: string;
  readonly functionsDir: string;
  /** Where bundles are written. */
  readonly outDir: string;
  /** Takes the functions' code. */
  readonly assets: string;
}

/** The stacks of a stage as a plain CDK application: as `sst.config.ts`, without SST. */
const input: CdkApp = JSON.parse(process.env.ORGLOOP_CDK_APP ?? "");
const { stage, account, region, project, assets } = input;
const app = new App();
const prepared = await prepareStage({
  projectDir: project,
  stage,
  env: process.env,
  lookup: pluginLookup({ projectDir: project }),
  entry: pluginEntry({ projectDir: project }),
  functionsDir: input.functionsDir,
  outDir: path.join(input.outDir, "functions"),
  secretPrefix: input.secretPrefix,
  retain: false,
  readDeployed: deployedReader({ stage, account, region }),
});
orgloopStacks(
  (stackName, description) =>
    new Stack(app, stackName, {
      stackName,
      description,
      env: { account, region },
      synthesizer: new CliCredentialsStackSynthesizer({
        fileAssetsBucketName: assets,
      }) as IStackSynthesizer,
    }),
  prepared,
);
app.synth();
