import { busMessage, sqsSender } from "@orgloop/bus/sqs";
import { eventDedupId, messageGroup } from "@orgloop/config/aws";
import type { OrgLoopEvent } from "@orgloop/sdk";
import type { OpenStage } from "./open-stage.ts";

/** Puts events on the stage's bus, in their order. Rejects where SQS takes not all; the same again is still one event each. */
export async function sendEvents(
  { sqs, objects, names, queueUrl }: OpenStage,
  events: readonly OrgLoopEvent[],
): Promise<void> {
  const keys = { messageGroup, eventDedupId };
  const messages = await Promise.all(events.map((event) => busMessage(event, keys, objects)));
  await sqsSender({ sqs }).sendAll(queueUrl(names.bus), messages);
}
