import { CfnOutput, CustomResource, Duration, RemovalPolicy } from "aws-cdk-lib";
import { CfnTable } from "aws-cdk-lib/aws-dynamodb";
import { Key } from "aws-cdk-lib/aws-kms";
import { BlockPublicAccess, Bucket, BucketEncryption } from "aws-cdk-lib/aws-s3";
import { CfnParameter } from "aws-cdk-lib/aws-ssm";
import type { Construct } from "constructs";
import { functionArn } from "./arns.ts";
import { fifoQueue } from "./fifo-queue.ts";
import { lambdaFunction } from "./functions/lambda-function.ts";
import { bucketOf, emptyBucket } from "./grants.ts";
import { HISTORY_VISIBILITY_S } from "./history.ts";
import { wholeDays } from "./operate/retention.ts";
import { ROUTER_VISIBILITY_S } from "./routing.ts";
import type { Stage } from "./stage.ts";
import { standardQueue } from "./standard-queue.ts";

/**
 * A claim check outlives its message on the bus (14 days), in an actor's queue (14) and in a dead
 * letter (90).
 */
const CLAIM_DAYS = 120;

/** What remembers: the state table, the bucket, the bus. Every other stack depends on it. */
export function storage(stage: Stage) {
  const { names, topology, layout } = stage;
  const stack = stage.stack("storage", "OrgLoop: state, history and bus");
  // What a first deploy made that failed goes with it: it would be in the way of the next.
  const removal = stage.retain ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
  stateTable(stack, stage, removal);
  const bucket = stageBucket(stack, stage, removal);
  const bus = fifoQueue(stack, "Bus", stage, {
    name: names.bus,
    dlqName: names.busDlq,
    visibilityS: ROUTER_VISIBILITY_S,
  });
  standardQueue(stack, "History", stage, {
    name: names.history,
    dlqName: names.historyDlq,
    visibilityS: HISTORY_VISIBILITY_S,
  });
  new CfnParameter(stack, "Layout", {
    name: names.layoutParameter,
    type: "String",
    description: "In how many stacks the stage lies: fixed when it was created",
    value: JSON.stringify(layout),
  });
  if (!stage.retain) emptier(stack, stage, bucket);
  new CfnOutput(stack, "BusUrl", { value: bus.ref });
  new CfnOutput(stack, "StateTable", { value: names.table });
  new CfnOutput(stack, "Project", { value: topology.project });
  return stack;
}

/**
 * Checkpoints with leases, claims, attempts, route states, dead letters, the applied state
 * (`@orgloop/stores/dynamodb`).
 */
function stateTable(
  scope: Construct,
  { names, topology, retain }: Stage,
  removal: RemovalPolicy,
): void {
  const key = topology.aws?.kms_key;
  const table = new CfnTable(scope, "State", {
    tableName: names.table,
    billingMode: "PAY_PER_REQUEST",
    attributeDefinitions: [
      { attributeName: "pk", attributeType: "S" },
      { attributeName: "sk", attributeType: "S" },
    ],
    keySchema: [
      { attributeName: "pk", keyType: "HASH" },
      { attributeName: "sk", keyType: "RANGE" },
    ],
    timeToLiveSpecification: { attributeName: "ttl", enabled: true },
    // A stage whose state is kept does not lose it by a slip of the hand either.
    deletionProtectionEnabled: retain,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    // Without a key of the customer's, DynamoDB encrypts with its own.
    ...(key ? { sseSpecification: { sseEnabled: true, sseType: "KMS", kmsMasterKeyId: key } } : {}),
  });
  table.applyRemovalPolicy(removal);
}

/** Claim checks, history, and every Topology that was applied. */
function stageBucket(scope: Construct, stage: Stage, removal: RemovalPolicy): Bucket {
  const { aws, defaults } = stage.topology;
  const days = (prefix: string, count: number) => ({ prefix, expiration: Duration.days(count) });
  return new Bucket(scope, "Bucket", {
    bucketName: bucketOf(stage),
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    ...(aws?.kms_key
      ? {
          encryption: BucketEncryption.KMS,
          encryptionKey: Key.fromKeyArn(scope, "Key", aws.kms_key),
          bucketKeyEnabled: true,
        }
      : { encryption: BucketEncryption.S3_MANAGED }),
    lifecycleRules: [
      days("claims/", CLAIM_DAYS),
      days("events/", wholeDays(defaults.event_retention)),
      { abortIncompleteMultipartUploadAfter: Duration.days(1) },
    ],
    removalPolicy: removal,
  });
}

/** CloudFormation deletes no bucket that holds objects. */
function emptier(scope: Construct, stage: Stage, bucket: Bucket): void {
  const { names } = stage;
  const made = lambdaFunction(scope, "Emptier", stage, {
    kind: "empty",
    name: names.emptier,
    description: "Empties the stage's bucket before it is deleted",
    packages: [],
    timeoutS: 900,
    memoryMb: 256,
    statements: emptyBucket(stage),
  });
  const contents = new CustomResource(scope, "BucketContents", {
    serviceToken: functionArn(names.emptier),
    resourceType: "Custom::OrgLoopBucketContents",
    serviceTimeout: Duration.minutes(15),
    properties: { Bucket: bucketOf(stage) },
  });
  contents.node.addDependency(made, bucket);
}
