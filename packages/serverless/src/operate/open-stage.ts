import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { GetQueueUrlCommand, SQSClient } from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { type ObjectStore, objectStore } from "@orgloop/bus/sqs";
import { type AwsNames, awsNames } from "@orgloop/config/aws";
import type { Topology } from "@orgloop/sdk";
import {
  type AppliedStage,
  dynamoAppliedState,
  type StateTable,
  topologyKey,
} from "@orgloop/stores/dynamodb";
import { type AskedStage, explainAwsError, noStage } from "./aws-errors.ts";

/** A deployed stage, as the command line speaks to it. */
export interface OpenStage extends AskedStage {
  readonly region: string;
  readonly account: string;
  readonly names: AwsNames;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  readonly bucket: string;
  readonly table: StateTable;
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
 * Opens the stage of a workspace with the usual credentials (environment, profile, SSO) and hands it to `use`. `AWS_ENDPOINT_URL` is
 * honoured. Rejects with what is wrong in the operator's words (`explainAwsError`), and with `NO_STAGE` where nothing is deployed.
 */
export async function withStage<Result>(
  { workspace, region }: StageOptions,
  use: (stage: OpenStage) => Promise<Result>,
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
    const applied = await dynamoAppliedState(table).read();
    if (applied === null) throw noStage(asked);
    const { QueueUrl = "" } = await sqs.send(new GetQueueUrlCommand({ QueueName: names.bus }));
    const bucket = names.bucket(account, asked.region);
    const objects = objectStore({ s3, bucket });
    return await use({
      workspace,
      region: asked.region,
      account,
      names,
      sqs,
      s3,
      bucket,
      table,
      objects,
      applied,
      topology: async () => JSON.parse(await objects.get(topologyKey(applied.hash))) as Topology,
      queueUrl: (name) => QueueUrl.slice(0, QueueUrl.lastIndexOf("/") + 1) + name,
    });
  } catch (error) {
    throw explainAwsError(error, asked);
  } finally {
    for (const one of [sqs, client, s3, sts]) one.destroy();
  }
}
