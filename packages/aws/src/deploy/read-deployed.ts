import {
  type CloudFormationClient,
  paginateListStacks,
  StackStatus,
} from "@aws-sdk/client-cloudformation";
import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  paginateListQueues,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { GetParameterCommand, type SSMClient } from "@aws-sdk/client-ssm";
import {
  type ActorSpec,
  OrgLoopError,
  parseJson,
  type RouteSpec,
  type Topology,
} from "@orgloop/sdk";
import { awsNames } from "../plan/aws-names.ts";
import { dynamoAppliedState, topologyKey } from "../state/applied-state.ts";
import { hasInboxes } from "../state/inbox/inboxes.ts";
import type { StateTable } from "../state/state-table.ts";
import { DRAINING_KEY, type DrainingActors } from "./draining.ts";

export interface DeployedReader {
  readonly cloudformation: CloudFormationClient;
  readonly ssm: SSMClient;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly dynamodb: StateTable["client"];
  readonly stage: string;
  /** The stage's bucket. */
  readonly bucket: string;
  /** The stage is to be removed, whatever it holds: nothing is refused. */
  readonly isRemoval?: boolean;
}

/** What a stage holds of the deploys before this one. */
export interface DeployedStage {
  /** As it was written when the stage was created; null where there is no stage. */
  readonly layout: {
    readonly actors: number;
    readonly pollers: number;
    readonly sources: number;
  } | null;
  /** Whose it is; null where nothing was applied, or the stage is to be removed whoever's it is. */
  readonly project: string | null;
  readonly actors: readonly ActorSpec[];
  readonly routes: readonly RouteSpec[];
  readonly draining: DrainingActors;
  readonly empty: ReadonlySet<string>;
  /** Whether anything waits in inboxes. */
  readonly waiting: boolean;
  /** The stacks that there are, e.g. `actors-3`. */
  readonly stacks: ReadonlySet<string>;
}

/**
 * Reads what a stage was last deployed as, and which actors that are not in `wanted` have empty
 * queues; routes wait for `awaited` ones. Throws `QUEUE_NOT_EMPTY` where a queue would go with its
 * messages, and nobody is known who could deliver them: that of an actor that never came, or that a
 * deploy brought which failed; `STATE_KEPT` where there is no stage, but the table of one that was
 * removed.
 */
export async function readDeployed(
  reader: DeployedReader,
  wanted: ReadonlySet<string>,
  awaited: readonly string[],
): Promise<DeployedStage> {
  const { dynamodb, stage } = reader;
  const names = awsNames(stage);
  const layout = await orNull(
    reader.ssm.send(new GetParameterCommand({ Name: names.layoutParameter })),
  );
  if (layout === null) {
    if (!reader.isRemoval) await refuseKept(reader);
    const nothing = { project: null, actors: [], routes: [], draining: [] };
    return { layout: null, ...nothing, empty: new Set(), stacks: new Set(), waiting: false };
  }
  const stacks = await stacksOf(reader);
  const state = { client: dynamodb, table: names.table };
  const applied = await orNull(dynamoAppliedState(state).read());
  const topology = applied && (await readJson<Topology>(reader, topologyKey(applied.hash)));
  const draining = (await readJson<DrainingActors>(reader, DRAINING_KEY)) ?? [];
  const { actors, routes } = topology ?? { actors: [], routes: [] };
  const removed = [...actors, ...draining].map(({ id }) => id).filter((id) => !wanted.has(id));
  if (!reader.isRemoval) await refuseUnknown(reader, new Set([...wanted, ...awaited, ...removed]));
  const empty = new Set<string>();
  for (const id of new Set(removed)) {
    const queues = [names.actorQueue(id), names.actorDlq(id)];
    const depths = await Promise.all(queues.map((queue) => depthOf(reader.sqs, queue)));
    if (depths.every((depth) => depth === 0)) empty.add(id);
  }
  return {
    layout: JSON.parse(layout.Parameter?.Value ?? "null"),
    project: reader.isRemoval ? null : (topology?.project ?? null),
    actors,
    routes,
    draining,
    empty,
    stacks,
    waiting: (await orNull(hasInboxes(state))) ?? false,
  };
}

/**
 * The stage's stacks, by what follows its prefix in their names; also those that could not be
 * created and are to be deleted.
 */
async function stacksOf({ cloudformation, stage }: DeployedReader): Promise<ReadonlySet<string>> {
  const { prefix } = awsNames(stage);
  const found = new Set<string>();
  const there = Object.values(StackStatus).filter((status) => status !== "DELETE_COMPLETE");
  const pages = paginateListStacks({ client: cloudformation }, { StackStatusFilter: there });
  for await (const { StackSummaries = [] } of pages) {
    for (const { StackName = "" } of StackSummaries) {
      if (StackName.startsWith(prefix)) found.add(StackName.slice(prefix.length));
    }
  }
  return found;
}

async function readJson<Value>({ s3, bucket }: DeployedReader, key: string): Promise<Value | null> {
  const found = await orNull(s3.send(new GetObjectCommand({ Bucket: bucket, Key: key })));
  const text = await found?.Body?.transformToString();
  return text === undefined ? null : (parseJson(text) as Value);
}

/**
 * A stage whose state was kept when it was removed cannot be made beside it, and CloudFormation
 * would not say what to do.
 */
async function refuseKept({ dynamodb, stage, bucket }: DeployedReader): Promise<void> {
  const { table } = awsNames(stage);
  const kept = await orNull(dynamodb.send(new DescribeTableCommand({ TableName: table })));
  if (kept === null) return;
  throw new OrgLoopError(
    "STATE_KEPT",
    `the stage "${stage}" was removed and its state was kept; to begin anew, delete it first: \`aws dynamodb update-table --table-name ${table} --no-deletion-protection-enabled\`, \`aws dynamodb delete-table --table-name ${table}\` and \`aws s3 rb s3://${bucket} --force\``,
  );
}

async function refuseUnknown(
  { sqs, stage }: DeployedReader,
  known: ReadonlySet<string>,
): Promise<void> {
  const { actorPrefix, actorQueue, actorDlq } = awsNames(stage);
  const names = new Set([...known].flatMap((id) => [actorQueue(id), actorDlq(id)]));
  const pages = paginateListQueues(
    { client: sqs, pageSize: 1000 },
    { QueueNamePrefix: actorPrefix },
  );
  for await (const { QueueUrls = [] } of pages) {
    for (const name of QueueUrls.map((url) => url.slice(url.lastIndexOf("/") + 1))) {
      const depth = names.has(name) ? 0 : await depthOf(sqs, name);
      if (depth === 0) continue;
      throw new OrgLoopError(
        "QUEUE_NOT_EMPTY",
        `${name} holds ${depth} messages and belongs to no actor that is declared or was: deploy its actor and remove it afterwards, so that they are delivered, or purge the queue`,
      );
    }
  }
}

const COUNTS = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
] as const;

/** Messages of a queue, waiting or in flight; 0 where there is no such queue. */
async function depthOf(sqs: SQSClient, QueueName: string): Promise<number> {
  const found = await orNull(sqs.send(new GetQueueUrlCommand({ QueueName })));
  if (found === null) return 0;
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: found.QueueUrl, AttributeNames: [...COUNTS] }),
  );
  return COUNTS.reduce((sum, count) => sum + Number(Attributes?.[count] ?? 0), 0);
}

const ABSENT = [
  "ParameterNotFound",
  "ResourceNotFoundException",
  "NoSuchKey",
  "NoSuchBucket",
  "NotFound",
  "QueueDoesNotExist",
  "AWS.SimpleQueueService.NonExistentQueue",
];

/** Null where AWS says that the thing does not exist. */
async function orNull<Value>(asked: Promise<Value>): Promise<Value | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Error && ABSENT.includes(error.name)) return null;
    throw error;
  }
}
