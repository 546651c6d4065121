import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import {
  CloudFormationClient,
  DescribeStacksCommand,
  ListStacksCommand,
} from "@aws-sdk/client-cloudformation";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { ListBucketsCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { awsNames, shardOf } from "@orgloop/aws/plan";
import { dynamoAppliedState } from "@orgloop/aws/state";
import { afterAll, expect, inject, type ProvidedContext, test } from "vitest";
import { clientConfig } from "../emulators/client-config.ts";
import {
  deployProject,
  eventually,
  HUB_SECRET,
  sendWebhook,
  startAgents,
} from "./deploy-project.ts";
import { sstStage } from "./deploy-stage.ts";

const STAGE = "cycle";
const BESIDE = "cycle-beside";

// An account of its own: two first deploys at once to one account make its CDK toolkit stack both,
// and one of them fails.
const { endpoint, env } = inject("aws");
const aws: ProvidedContext["aws"] = {
  endpoint,
  env: { ...env, AWS_ACCESS_KEY_ID: "333333333333" },
};
const config = clientConfig(aws);
const sqs = new SQSClient(config);
const s3 = new S3Client({ ...config, forcePathStyle: true });
const client = new DynamoDBClient(config);
const lambda = new LambdaClient(config);
const cloudFormation = new CloudFormationClient(config);
const names = awsNames(STAGE);

const agents = await startAgents();
const project = await deployProject(agents.url);
const secrets = { HUB_SECRET };
const options = { aws, project: project.directory, secrets };
const stage = await sstStage({ ...options, stage: STAGE });
const beside = await sstStage({ ...options, stage: BESIDE });

afterAll(async () => {
  for (const one of [stage, beside, project, agents]) await one[Symbol.asyncDispose]();
  for (const one of [sqs, s3, client, lambda, cloudFormation]) one.destroy();
});

/** What a stage has in AWS, by name. */
async function resources(of: string): Promise<string[]> {
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({ MaxResults: 1000 }));
  const { TableNames = [] } = await client.send(new ListTablesCommand({}));
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
  const all = [
    ...QueueUrls.map((url) => url.slice(url.lastIndexOf("/") + 1)),
    ...TableNames,
    ...Buckets.map(({ Name = "" }) => Name),
    ...Functions.map(({ FunctionName = "" }) => FunctionName),
  ];
  const { prefix } = awsNames(of);
  const others = [STAGE, BESIDE].filter((it) => it !== of && it.startsWith(of));
  return all
    .filter((name) => name.startsWith(prefix))
    .filter((name) => !others.some((it) => name.startsWith(awsNames(it).prefix)))
    .sort();
}

const statusOf = async (stack: string) => {
  const name = `${names.prefix}${stack}`;
  const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: name }));
  return Stacks?.[0]?.StackStatus;
};

const queueUrl = async (name: string) =>
  (await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl ?? "";

const waitingIn = async (name: string) => {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: await queueUrl(name), AttributeNames: ["All"] }),
  );
  const { ApproximateNumberOfMessages: a, ApproximateNumberOfMessagesNotVisible: b } = Attributes;
  return Number(a) + Number(b);
};

const applied = () => dynamoAppliedState({ client, table: names.table }).read();

const send = (url: string, n: number) => sendWebhook(aws.endpoint, url, n);

/** Of actors and of their alarms, in a stage of any size. */
const SHARDS = 14;
const ALARM_SHARDS = 20;
/** An actor's alarms are in a stack that there is, or in a new one. */
const alarmsOf = (actor: string, others: readonly string[]) => {
  const shard = shardOf(actor, ALARM_SHARDS);
  const there = others.some((one) => shardOf(one, ALARM_SHARDS) === shard);
  const how = there ? "\\d+ changes?" : "New stack";
  return expect.stringMatching(`^${names.prefix}alarms-${shard}: ${how}$`);
};
/** An actor in the stack of another. */
const BROKEN = Array.from({ length: 1_000 }, (_, n) => `broken-${n}`).find(
  (id) => shardOf(id, SHARDS) === shardOf("triage", SHARDS),
);
if (BROKEN === undefined) throw new Error("every one has another stack");
let webhookUrl = "";

/** Of a diff, the stacks that it changes, and how. */
const changedIn = (diff: string) =>
  [...diff.matchAll(/orgloop-\S+: (?:\d+ changes?|New stack)$/gm)].map(([text]) => text).sort();

test("a deploy makes the stage, and a signed webhook reaches its agent", async () => {
  await project.write(["reviewer"], [STAGE, BESIDE]);
  const outputs = await stage.deploy();
  expect(outputs).toMatchObject({
    StateTable: names.table,
    BusUrl: await queueUrl(names.bus),
    Dashboard: expect.stringContaining(names.dashboard),
  });
  webhookUrl = outputs.WebhookUrl ?? "";
  expect(await resources(STAGE)).toEqual(
    [
      names.bus,
      names.busDlq,
      names.history,
      names.historyDlq,
      names.historian,
      names.actorQueue("reviewer"),
      names.actorDlq("reviewer"),
      names.table,
      names.bucket(await account(), aws.env.AWS_REGION ?? ""),
      names.router,
      names.receiver,
      names.recorder,
      names.emptier,
      names.sweeper,
      names.deliverer("reviewer"),
    ].sort(),
  );
  const state = await applied();
  expect(state?.serial).toBe(1);
  expect(await objects("topologies/")).toEqual([`topologies/${state?.hash}.json`]);
  expect(await send(webhookUrl, 1)).toBe(200);
  await eventually(() => agents.got("reviewer").length > 0);
  expect(await sendWebhook(aws.endpoint, webhookUrl, 2, "not the secret")).toBe(401);
});

test("a diff says what would change, and nothing else", async () => {
  const unchanged = await stage.diff();
  expect(unchanged).toContain("Diff: No changes");
  await project.write(["reviewer", "triage"], [STAGE, BESIDE]);
  const diff = await stage.diff();
  expect(diff).not.toMatch(/\[-\] AWS::/);
  expect(changedIn(diff)).toEqual([
    `${names.prefix}actors-${shardOf("triage", SHARDS)}: New stack`,
    alarmsOf("triage", ["reviewer"]),
    `${names.prefix}routing: 1 change`,
  ]);
  expect(diff).toMatch(/\[~\] AWS::SSM::Parameter Topology/);
  expect((await applied())?.serial).toBe(1);
});

test("a change is deployed while events flow: each reaches each agent once", async () => {
  const deployed = stage.deploy();
  let n = 10;
  const sent: number[] = [];
  let done = false;
  const settled = deployed.finally(() => {
    done = true;
  });
  while (!done) {
    expect(await send(webhookUrl, n)).toBe(200);
    sent.push(n);
    n += 1;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  await settled;
  expect((await applied())?.serial).toBe(2);
  expect(await send(webhookUrl, n)).toBe(200);
  sent.push(n);
  await eventually(() => agents.got("reviewer").length > sent.length);
  expect(agents.got("reviewer")).toEqual([1, ...sent]);
  await eventually(() => agents.got("triage").at(-1) === n);
  expect(new Set(agents.got("triage")).size).toBe(agents.got("triage").length);
});

test("a second stage stands beside the first", async () => {
  const before = await resources(STAGE);
  const { WebhookUrl = "" } = await beside.deploy();
  expect(await resources(STAGE)).toEqual(before);
  expect((await resources(BESIDE)).length).toBe(before.length);
  const got = agents.got("triage").length;
  expect(await send(WebhookUrl, 1000)).toBe(200);
  await eventually(() => agents.got("triage").includes(1000));
  await eventually(() => agents.got("reviewer").includes(1000));
  expect(agents.got("triage").length).toBe(got + 1);
});

test("a change that AWS refuses is rolled back: what was there goes on, and is still what was applied", async () => {
  await project.write(["reviewer", "triage", BROKEN], [STAGE, BESIDE]);
  const shard = shardOf(BROKEN, SHARDS);
  const diff = await stage.diff();
  expect(diff).toMatch(/\[\+\] AWS::SQS::Queue broken/);
  expect(diff).toMatch(/\[\+\] AWS::Lambda::Function broken/);
  expect(changedIn(diff)).toEqual([
    expect.stringMatching(`^${names.prefix}actors-${shard}: \\d+ changes$`),
    alarmsOf(BROKEN, ["reviewer", "triage"]),
    `${names.prefix}routing: 1 change`,
  ]);
  const build = await stage.build();
  await addRefused(path.join(build, `${names.prefix}actors-${shard}.template.json`));
  await expect(stage.deploy(build)).rejects.toThrow("ROLLBACK_COMPLETE");
  expect(await statusOf(`actors-${shard}`)).toBe("UPDATE_ROLLBACK_COMPLETE");
  expect((await applied())?.serial).toBe(2);
  const left = await resources(STAGE);
  expect(left).not.toContain(names.deliverer(BROKEN));
  expect(left).not.toContain(names.actorQueue(BROKEN));
  expect(await send(webhookUrl, 2000)).toBe(200);
  await eventually(() => agents.got("triage").includes(2000));
  await project.write(["reviewer", "triage", "chat"], [STAGE, BESIDE]);
  await stage.deploy();
  expect((await applied())?.serial).toBe(3);
  expect(await send(webhookUrl, 2001)).toBe(200);
  await eventually(() => agents.got("chat").includes(2001));
});

test("a removed actor drains before it goes", async () => {
  agents.down.add("triage");
  expect(await send(webhookUrl, 3000)).toBe(200);
  await eventually(async () => (await waitingIn(names.actorQueue("triage"))) > 0);
  await project.write(["reviewer", "chat"], [STAGE, BESIDE]);
  await stage.deploy();
  expect(await resources(STAGE)).toContain(names.actorQueue("triage"));
  expect(await send(webhookUrl, 3001)).toBe(200);
  await eventually(() => agents.got("reviewer").includes(3001));
  agents.down.delete("triage");
  await eventually(() => agents.got("triage").includes(3000));
  expect(agents.got("triage")).not.toContain(3001);
  await eventually(async () => (await waitingIn(names.actorQueue("triage"))) === 0);
  await stage.deploy();
  expect(await resources(STAGE)).not.toContain(names.actorQueue("triage"));
  expect(await resources(STAGE)).not.toContain(names.deliverer("triage"));
});

test("a project with errors is refused as validate refuses it, before anything is changed", async () => {
  await project.write(["reviewer", "reviewer"], [STAGE, BESIDE]);
  await expect(stage.deploy()).rejects.toThrow(/orgloop\.yaml:\d+:\d+: .*reviewer/);
  expect(await resources(STAGE)).toContain(names.actorQueue("chat"));
});

test("a removed stage leaves nothing, and the one beside it alone", async () => {
  await project.write(["reviewer", "chat"], [STAGE, BESIDE]);
  const others = await resources(BESIDE);
  await stage.remove();
  expect(await resources(STAGE)).toEqual([]);
  expect(await resources(BESIDE)).toEqual(others);
  await beside.remove();
  expect(await resources(BESIDE)).toEqual([]);
  const { StackSummaries = [] } = await cloudFormation.send(new ListStacksCommand({}));
  const left = StackSummaries.filter(({ StackName = "" }) => StackName.startsWith(names.prefix));
  expect(left.filter(({ StackStatus }) => StackStatus !== "DELETE_COMPLETE")).toEqual([]);
});

async function objects(Prefix: string): Promise<string[]> {
  const Bucket = names.bucket(await account(), aws.env.AWS_REGION ?? "");
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return Contents.map(({ Key = "" }) => Key);
}

async function account(): Promise<string> {
  return aws.env.AWS_ACCESS_KEY_ID ?? "";
}

/** A resource that AWS cannot make, after everything else of a template. */
async function addRefused(file: string): Promise<void> {
  const template = JSON.parse(await readFile(file, "utf8"));
  template.Resources.Refused = {
    Type: "Custom::Refused",
    DependsOn: Object.keys(template.Resources),
    Properties: {
      ServiceToken: `arn:aws:lambda:${aws.env.AWS_REGION}:${await account()}:function:nowhere`,
    },
  };
  await writeFile(file, JSON.stringify(template));
}
