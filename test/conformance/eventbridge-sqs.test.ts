import { randomUUID } from "node:crypto";
import { lookup } from "node:dns";
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import eventbridge from "@orgloop/connector-eventbridge";
import { testEvent } from "@orgloop/testkit";
import { expect, inject, test } from "vitest";
import { clientConfig } from "../emulators/client-config.ts";

test("what the actor puts on an event bus, a rule on its source and detail type finds", async () => {
  const aws = inject("aws");
  Object.assign(process.env, aws.env);
  const events = new EventBridgeClient(clientConfig(aws));
  const sqs = new SQSClient(clientConfig(aws));
  const Name = `bus-${randomUUID()}`;
  await events.send(new CreateEventBusCommand({ Name }));
  const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: Name }));
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  const EventPattern = JSON.stringify({ source: ["acme.orgloop"], "detail-type": ["pr.opened"] });
  await events.send(new PutRuleCommand({ Name, EventBusName: Name, EventPattern }));
  const Targets = [{ Id: "queue", Arn: Attributes.QueueArn ?? "" }];
  await events.send(new PutTargetsCommand({ Rule: Name, EventBusName: Name, Targets }));

  const config = { event_bus: Name, source: "acme.orgloop", resources: [] };
  const never = async () => {
    throw new Error("not wanted");
  };
  const claims = { claim: never };
  const mask = (text: string) => text;
  const options = {
    id: "aws",
    projectDir: "/",
    now: Date.now,
    claims,
    fetch,
    lookup,
    mask,
    warn: () => {},
  };
  const actor = await eventbridge.actor?.create(config as never, options);
  const event = testEvent();
  const { signal } = new AbortController();
  const context = { route: "r", attempt: 1, replay: 0, deliveryId: "d", signal };
  await actor?.deliver(event, { ...context, config: { detail_type: "other" } });
  await actor?.deliver(event, { ...context, config: { detail_type: "pr.opened" } });

  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 10 }),
  );
  expect(Messages).toHaveLength(1);
  expect(JSON.parse(Messages[0]?.Body ?? "")).toMatchObject({
    source: "acme.orgloop",
    "detail-type": "pr.opened",
    detail: { event, delivery: { id: "d", route: "r" } },
  });
  await actor?.close?.();
  events.destroy();
  sqs.destroy();
});
