import { randomBytes } from "node:crypto";
import { DeleteTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { deployedReader } from "@orgloop/aws/deploy";
import { awsNames } from "@orgloop/aws/plan";
import { afterAll, expect, inject, test } from "vitest";
import { clientConfig } from "../emulators/client-config.ts";
import { createStateTable } from "../emulators/create-state-table.ts";

const aws = inject("aws");
const { AWS_ACCESS_KEY_ID: account = "", AWS_REGION: region = "" } = aws.env;
Object.assign(process.env, aws.env);
const sqs = new SQSClient(clientConfig(aws));
const ssm = new SSMClient(clientConfig(aws));
const dynamodb = new DynamoDBClient(clientConfig(aws));
afterAll(() => {
  for (const one of [sqs, ssm, dynamodb]) one.destroy();
});

test("a queue with messages whose actor is neither declared nor draining stops the deploy that would remove it", async () => {
  const stage = `t${randomBytes(4).toString("hex")}`;
  const names = awsNames(stage);
  const Value = JSON.stringify({ actors: 1, pollers: 1, sources: 1 });
  await ssm.send(new PutParameterCommand({ Name: names.layoutParameter, Value, Type: "String" }));
  const read = (...awaited: readonly string[]) =>
    deployedReader({ stage, account, region })(new Set(["agent"]), awaited);
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({
      QueueName: names.actorQueue("later"),
      Attributes: { FifoQueue: "true" },
    }),
  );
  expect(await read()).toMatchObject({ layout: JSON.parse(Value), actors: [], draining: [] });
  const message = { MessageBody: "{}", MessageGroupId: "g", MessageDeduplicationId: "d" };
  await sqs.send(new SendMessageCommand({ QueueUrl, ...message }));
  await expect(read("another")).rejects.toMatchObject({
    code: "QUEUE_NOT_EMPTY",
    message: expect.stringContaining(`${names.actorQueue("later")} holds 1 messages`),
  });
  expect(await read("later")).toMatchObject({ actors: [] });
  const removal = deployedReader({ stage, account, region, isRemoval: true });
  expect(await removal(new Set(), [])).toMatchObject({ actors: [] });
  await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  expect(await read()).toMatchObject({ actors: [] });
});

test("a stage whose state was kept when it was removed is not begun anew beside it: what to do is said", async () => {
  const stage = `t${randomBytes(4).toString("hex")}`;
  const { table } = awsNames(stage);
  await createStateTable(dynamodb, table);
  const read = () => deployedReader({ stage, account, region })(new Set(["agent"]), []);
  await expect(read()).rejects.toMatchObject({
    code: "STATE_KEPT",
    message: expect.stringContaining(`delete-table --table-name ${table}`),
  });
  await dynamodb.send(new DeleteTableCommand({ TableName: table }));
  expect(await read()).toMatchObject({ layout: null });
});
