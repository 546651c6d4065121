import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { deliverFunction } from "@orgloop/aws/deliver";
import { historyFunction } from "@orgloop/aws/history";
import { awsNames } from "@orgloop/aws/plan";
import { pollFunction } from "@orgloop/aws/poll";
import { objectStore } from "@orgloop/aws/queue";
import { receiveFunction } from "@orgloop/aws/receive";
import { routeFunction } from "@orgloop/aws/route";
import {
  dynamoAppliedState,
  dynamoDeadLetters,
  dynamoGroupings,
  topologyKey,
} from "@orgloop/aws/state";
import { sweepFunction } from "@orgloop/aws/sweep";
import { topologyHash } from "@orgloop/config";
import type { OrgLoopEvent, PluginDefinition, Topology } from "@orgloop/sdk";
import { clientConfig } from "../emulators/client-config.ts";
import { createStateTable } from "../emulators/create-state-table.ts";
import type { Emulator } from "../emulators/emulator.ts";

/**
 * How long what was received stays hidden when nobody says otherwise: short, so that a killed
 * function is seen to lose nothing.
 */
const VISIBILITY_S = 3;
const REMAINING_MS = 60_000;

/**
 * The functions in this process, on an emulator's queues, table and bucket. Their environment is
 * this process's: a test file that uses them has it to itself.
 */
export async function runningFunctions(
  topology: Topology,
  plugins: Readonly<Record<string, PluginDefinition>>,
  aws: Pick<Emulator, "endpoint" | "env">,
  /** Sources that are grouped by their keys, from their first event on. */
  keyed: readonly string[] = [],
) {
  Object.assign(process.env, aws.env, { POWERTOOLS_METRICS_DISABLED: "true" });
  const lines: string[] = [];
  const stage = `f${randomBytes(4).toString("hex")}`;
  const names = awsNames(stage);
  const config = clientConfig(aws);
  const sqs = new SQSClient(config);
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const client = new DynamoDBClient(config);
  const bucket = names.bucket(aws.env.AWS_ACCESS_KEY_ID ?? "", config.region);
  const objects = objectStore({ s3, bucket });

  const queue = async (QueueName: string): Promise<string> => {
    const VisibilityTimeout = String(VISIBILITY_S);
    const isFifo = QueueName.endsWith(".fifo");
    const Attributes = { VisibilityTimeout, ...(isFifo && { FifoQueue: "true" }) };
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    return QueueUrl;
  };
  await createStateTable(client, names.table);
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const busUrl = await queue(names.bus);
  for (const { id } of topology.actors) await queue(names.actorQueue(id));
  await queue(names.history);
  const hash = topologyHash(topology);
  await objects.put(topologyKey(hash), JSON.stringify(topology));
  const applied_at = new Date().toISOString();
  await dynamoAppliedState({ client, table: names.table }).write({ serial: 1, hash, applied_at });

  const options = (spec: object) => ({
    env: {
      ...aws.env,
      ORGLOOP_STAGE: stage,
      ORGLOOP_PROJECT: topology.project,
      ORGLOOP_TABLE: names.table,
      ORGLOOP_BUCKET: bucket,
      ORGLOOP_BUS_URL: busUrl,
      ORGLOOP_SECRET_PREFIX: `/sst/orgloop/${stage}/Secret/`,
      ORGLOOP_LOG_LEVEL: "debug",
      ORGLOOP_SPEC: JSON.stringify(spec),
    },
    plugins,
    projectDir: import.meta.dirname,
    write: (line: string) => void lines.push(line),
  });
  const { project, sources, actors, network } = topology;
  const groupings = dynamoGroupings({ client, table: names.table });
  for (const id of keyed) await groupings.begin(id, "key");
  const poll = await pollFunction(options({ project, sources, keyed, network }));
  const receive = await receiveFunction(options({ project, sources, keyed, network }));
  const route = await routeFunction(options({ topology, hash }));
  const deliver = await deliverFunction(options({ actors, network }));
  const record = await historyFunction(options({}));
  const sweep = await sweepFunction(options({}));
  const until = Date.now() + REMAINING_MS * 10;
  const remainingMs = () => Math.min(REMAINING_MS, until - Date.now());

  async function take(queueUrl: string, most = 10) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: most,
        MessageSystemAttributeNames: ["All"],
      }),
    );
    return Messages;
  }

  /**
   * One batch, as Lambda handles it: what does not come again is deleted. Gives how many messages
   * there were.
   */
  async function invoke(name: string): Promise<number> {
    const url = await queue(name);
    const messages = await take(url);
    if (messages.length === 0) return 0;
    const records = messages.map(recordOf);
    const arn = `arn:aws:sqs:${config.region}:1:${name}`;
    const { batchItemFailures } =
      name === names.bus
        ? await route(records, remainingMs)
        : await deliver(records, arn, remainingMs);
    const again = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const { MessageId = "", ReceiptHandle } of messages) {
      if (again.has(MessageId)) continue;
      await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
    }
    return messages.length;
  }

  return {
    /** What the functions have logged, a JSON text each. */
    lines,
    stage,
    names,
    busUrl,
    objects,
    table: { client, table: names.table },
    letters: dynamoDeadLetters({ client, table: names.table, objects }),
    poll: (source: string, owner: string, ms = REMAINING_MS) =>
      poll({ source, owner, remainingMs: ms }),
    receive,
    deliver,
    invoke,
    /** Takes a batch and dies with it: nobody hears what came of it. */
    die: async (name: string) => void (await take(await queue(name))),
    /** Takes one message and dies with it; gives the event. */
    async dieWithOne(name: string): Promise<OrgLoopEvent> {
      const [message] = await take(await queue(name), 1);
      return JSON.parse(message?.Body ?? "").event;
    },
    /** Calls a function with a batch and dies before anybody hears of it. */
    async dieAfter(name: string): Promise<void> {
      const records = (await take(await queue(name))).map(recordOf);
      const arn = `arn:aws:sqs:${config.region}:1:${name}`;
      if (name === names.bus) await route(records, remainingMs);
      else await deliver(records, arn, remainingMs);
    },
    /** As a redrive from SQS's console: the same text in the same group, as a new message. */
    async redrive(name: string): Promise<number> {
      const url = await queue(name);
      const messages = await take(url);
      for (const { Body = "", Attributes = {}, ReceiptHandle } of messages) {
        await this.send(name, Body, Attributes.MessageGroupId ?? "");
        await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
      }
      return messages.length;
    },
    queueUrl: queue,
    async send(name: string, MessageBody: string, MessageGroupId: string) {
      const MessageDeduplicationId = randomBytes(8).toString("hex");
      const message = { MessageBody, MessageGroupId, MessageDeduplicationId };
      await sqs.send(new SendMessageCommand({ QueueUrl: await queue(name), ...message }));
    },
    /** Calls the functions again and again until `isDone`. */
    async run(isDone: () => boolean | Promise<boolean>, patienceMs = 40_000): Promise<void> {
      const endMs = Date.now() + patienceMs;
      while (!(await isDone())) {
        if (Date.now() > endMs) throw new Error(`not done within ${patienceMs} ms`);
        const queues = [names.bus, ...actors.map(({ id }) => names.actorQueue(id))];
        const taken = await Promise.all(queues.map(invoke));
        if (taken.every((count) => count === 0)) await wait(100);
      }
    },
    /** One batch to the function that writes the record. */
    async record(): Promise<number> {
      const url = await queue(names.history);
      const messages = await take(url);
      if (messages.length === 0) return 0;
      await record(messages.map(recordOf));
      for (const { ReceiptHandle } of messages) {
        await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
      }
      return messages.length;
    },
    sweep: () => sweep(remainingMs),
    async deleteQueue(name: string): Promise<void> {
      await sqs.send(new DeleteQueueCommand({ QueueUrl: await queue(name) }));
    },
    async deleteBucket(): Promise<void> {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
      for (const { Key } of Contents) {
        await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
      }
      await s3.send(new DeleteBucketCommand({ Bucket: bucket }));
    },
    createBucket: async () => void (await s3.send(new CreateBucketCommand({ Bucket: bucket }))),
    /** The record, with what its queue holds. */
    async history(): Promise<string> {
      while ((await this.record()) > 0);
      const { Contents = [] } = await s3.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: "events/" }),
      );
      const texts = await Promise.all(Contents.map(({ Key = "" }) => objects.get(Key)));
      return texts.join("");
    },
    end() {
      for (const one of [sqs, s3, client]) one.destroy();
    },
  };
}

export type RunningFunctions = Awaited<ReturnType<typeof runningFunctions>>;

function recordOf({ MessageId = "", ReceiptHandle = "", Body = "", Attributes = {} }: Message) {
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: {
      ApproximateReceiveCount: Attributes.ApproximateReceiveCount ?? "1",
      SentTimestamp: Attributes.SentTimestamp ?? "0",
      MessageGroupId: Attributes.MessageGroupId ?? "",
    },
  };
}
