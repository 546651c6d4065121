import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { GetQueueUrlCommand, SQSClient } from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Topology } from "@orgloop/sdk";
import { type AwsNames, awsNames } from "../plan/aws-names.ts";
import { type ObjectStore, objectStore } from "../queue/message-body.ts";
import { queueUrlBeside } from "../queue/queue-url.ts";
import { type AppliedStage, appliedTopology, dynamoAppliedState } from "../state/applied-state.ts";
import type { StateTable } from "../state/state-table.ts";
import { type AskedStage, explainAwsError, noStage } from "./aws-errors.ts";

/** The account that a workspace lands in, as the command line speaks to it. */
export interface OpenAccount extends AskedStage {
  readonly region: string;
  readonly account: string;
  readonly names: AwsNames;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  readonly table: StateTable;
}

/** A deployed stage. */
export interface OpenStage extends OpenAccount {
  readonly bucket: string;
  readonly objects: ObjectStore;
  /** What the last deploy recorded. */
  readonly applied: AppliedStage;
  /** The Topology of that. */
  topology(): Promise<Topology>;
  queueUrl(name: string): string;
}

export interface StageOptions {
  /** The workspace: the stage has its name. */
  readonly workspace: string;
  /** `aws.region`; default: as the SDK finds it. */
  readonly region?: string;
}

/**
 * Opens the account with the usual credentials (environment, profile, SSO) and hands it to `use`.
 * `AWS_ENDPOINT_URL` is honoured. Rejects with what is wrong in the operator's words
 * (`explainAwsError`).
 */
export async function withAccount<Result>(
  { workspace, region }: StageOptions,
  use: (account: OpenAccount) => Promise<Result>,
): Promise<Result> {
  const options = region === undefined ? {} : { region };
  const sqs = new SQSClient(options);
  const client = new DynamoDBClient(options);
  const emulated = process.env.AWS_ENDPOINT_URL !== undefined;
  const s3 = new S3Client({ ...options, forcePathStyle: emulated });
  const sts = new STSClient(options);
  const asked: { workspace: string; region: string | null } = { workspace, region: region ?? null };
  try {
    asked.region = await sqs.config.region();
    const { Account: account = "" } = await sts.send(new GetCallerIdentityCommand({}));
    const names = awsNames(workspace);
    const table = { client, table: names.table };
    return await use({ workspace, region: asked.region, account, names, sqs, s3, table });
  } catch (error) {
    throw explainAwsError(error, asked);
  } finally {
    for (const one of [sqs, client, s3, sts]) one.destroy();
  }
}

/** The same of the stage that is deployed there. Rejects with `NO_STAGE` where none is. */
export function withStage<Result>(
  options: StageOptions,
  use: (stage: OpenStage) => Promise<Result>,
): Promise<Result> {
  return withAccount(options, async (account) => use(await openStage(account)));
}

/** Throws `NO_STAGE`, and what AWS throws. */
export async function openStage(opened: OpenAccount): Promise<OpenStage> {
  const { names, account, region, sqs, s3, table } = opened;
  const applied = await dynamoAppliedState(table).read();
  if (applied === null) throw noStage(opened);
  const { QueueUrl = "" } = await sqs.send(new GetQueueUrlCommand({ QueueName: names.bus }));
  const bucket = names.bucket(account, region);
  const objects = objectStore({ s3, bucket });
  let topology: ReturnType<typeof appliedTopology> | undefined;
  return {
    ...opened,
    bucket,
    objects,
    applied,
    async topology() {
      topology ??= appliedTopology({ read: async () => applied }, objects);
      return (await topology).topology;
    },
    queueUrl: (name) => queueUrlBeside(QueueUrl, name),
  };
}
