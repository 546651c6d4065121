import { isReplay, randomHex } from "@orgloop/engine";
import type { OrgLoopEvent } from "@orgloop/sdk";
import { eventDedupId, messageGroup } from "../plan/aws-names.ts";
import { busMessage } from "../queue/bus-message.ts";
import { sqsSender } from "../queue/sqs-sender.ts";
import type { OpenStage } from "./open-stage.ts";

/**
 * Puts events on the stage's bus, in their order. Rejects where SQS takes not all; a replay that is
 * put there again is still one.
 */
export async function sendEvents(
  { sqs, objects, names, queueUrl }: OpenStage,
  events: readonly OrgLoopEvent[],
): Promise<void> {
  const keys = { messageGroup, eventDedupId };
  const at_ms = Date.now();
  const messages = await Promise.all(
    events.map((event) => {
      const publication = isReplay(event)
        ? ({ id: event.id, kind: "replay", at_ms } as const)
        : ({ id: `${randomHex()}${randomHex()}`, kind: "inject", at_ms } as const);
      return busMessage(event, keys, objects, publication);
    }),
  );
  await sqsSender({ sqs }).sendAll(queueUrl(names.bus), messages);
}
