import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { awsNames } from "@orgloop/aws/plan";
import { clientConfig } from "../emulators/client-config.ts";
import type { CdkApp } from "./cdk-app.ts";
import type { StageOptions } from "./deploy-stage.ts";
import { putSecrets } from "./put-secrets.ts";
import { runToEnd } from "./run-to-end.ts";

const CDK = createRequire(import.meta.url).resolve("aws-cdk/bin/cdk");
const APP = path.join(import.meta.dirname, "cdk-app.ts");
const FUNCTIONS = path.resolve(import.meta.dirname, "../../functions");

/** A stage as the CDK's command line deploys it. */
export interface CdkStage {
  /** Rejects with what the CDK printed where the deploy failed. Gives the outputs of all stacks. */
  deploy(): Promise<Readonly<Record<string, string>>>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes ready to deploy, also where SST does not: a bucket for the functions' code, and the secrets
 * in SSM.
 */
export async function cdkStage(options: StageOptions): Promise<CdkStage> {
  const { aws, stage, project, secrets = {} } = options;
  const outDir = await mkdtemp(path.join(tmpdir(), "orgloop-cdk-"));
  const { AWS_ACCESS_KEY_ID: account = "", AWS_REGION: region = "" } = aws.env;
  const app: CdkApp = {
    ...{ stage, project, account, region, outDir, functionsDir: FUNCTIONS },
    assets: `assets-${stage}`,
    secretPrefix: await putSecrets(aws, stage, secrets),
  };
  const s3 = new S3Client({ ...clientConfig(aws), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: app.assets }));
  s3.destroy();
  const outputsFile = path.join(outDir, "outputs.json");
  return {
    async deploy() {
      const output = ["--output", path.join(outDir, "assembly"), "--outputs-file", outputsFile];
      const quietly = ["--require-approval", "never", "--no-notices", "--progress", "events"];
      const fast = ["--method", "direct", "--concurrency", "4"];
      const { status, text } = await runToEnd(
        [CDK, "deploy", "--all", "--app", `node ${APP}`, ...output, ...quietly, ...fast],
        {
          cwd: outDir,
          env: {
            ...aws.env,
            ...{ HOME: outDir, TMPDIR: outDir, CI: "1", ORGLOOP_CDK_APP: JSON.stringify(app) },
          },
        },
      );
      if (status !== 0) throw new Error(text);
      await recordApplied(aws, stage, app.assets);
      const ofStacks: object = JSON.parse(await readFile(outputsFile, "utf8"));
      return Object.assign({}, ...Object.values(ofStacks));
    },
    [Symbol.asyncDispose]: () => rm(outDir, { recursive: true, force: true }),
  };
}

/**
 * LocalStack takes custom resources for deployed without calling them: hence the call that records
 * what was applied.
 */
async function recordApplied(
  aws: StageOptions["aws"],
  stage: string,
  assets: string,
): Promise<void> {
  const { topologyParameter, recorder } = awsNames(stage);
  const ssm = new SSMClient(clientConfig(aws));
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name: topologyParameter }));
  ssm.destroy();
  const request = {
    RequestType: "Create",
    ResponseURL: `${aws.endpoint}/${assets}/answer.json`,
    ResourceProperties: { Topology: Parameter?.Value },
  };
  const lambda = new LambdaClient(clientConfig(aws));
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: recorder, Payload: JSON.stringify(request) }),
  );
  lambda.destroy();
  if (FunctionError !== undefined) throw new Error(Buffer.from(Payload ?? []).toString());
}
