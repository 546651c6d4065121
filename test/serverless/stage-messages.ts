import { ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { actorMessage } from "@orgloop/aws";
import { type Delivery, deliveryLetter, NO_ATTEMPTS } from "@orgloop/engine";
import type { DeadLetter, OrgLoopEvent } from "@orgloop/sdk";
import type { BareStage } from "./bare-stage.ts";

/** Bodies of what can be received from a queue; hidden from then on. */
export async function received(stage: BareStage, queue: string): Promise<string[]> {
  const QueueUrl = await stage.queueUrl(queue);
  const command = new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: 10,
    VisibilityTimeout: 300,
    WaitTimeSeconds: 1,
  });
  const { Messages = [] } = await stage.sqs.send(command);
  return Messages.map(({ Body = "" }) => Body);
}

/** Puts a message into a queue. */
export async function send(
  stage: BareStage,
  queue: string,
  body: string,
  group: string,
  dedupId: string,
): Promise<void> {
  const command = new SendMessageCommand({
    QueueUrl: await stage.queueUrl(queue),
    MessageBody: body,
    MessageGroupId: group,
    MessageDeduplicationId: dedupId,
  });
  await stage.sqs.send(command);
}

/** An event on its way. */
export const deliveryOf = (event: OrgLoopEvent, route = "to-agent", actor = "agent"): Delivery => ({
  event,
  route,
  actor,
  orderingKey: "hook",
  config: {},
  replay: 0,
});

/** Puts a delivery into a queue as the router does. */
export async function sendDelivery(
  stage: BareStage,
  queue: string,
  delivery: Delivery,
): Promise<void> {
  const route = (await stage.topology()).routes.find(({ name }) => name === delivery.route);
  if (route === undefined) throw new Error("the project has no such route");
  const { body, group, dedupId } = await actorMessage(
    { delivery, route, topologyHash: "hash", severalRoutes: true, nowMs: Date.now() },
    stage.objects,
  );
  await send(stage, queue, body, group, dedupId);
}

/** The letter of an event whose attempts are exhausted. */
export const letterOf = (event: OrgLoopEvent, more: Partial<DeadLetter> = {}): DeadLetter => ({
  ...deliveryLetter(
    deliveryOf(event),
    "exhausted",
    { ...NO_ATTEMPTS, attempts: 3, lastError: "HTTP 500" },
    Date.now(),
  ),
  ...more,
});
