import type { Message } from "@aws-sdk/client-sqs";
import { deliveryLetter, eventAndTarget, NO_ATTEMPTS, unroutableLetter } from "@orgloop/engine";
import type { DeadLetter } from "@orgloop/sdk";
import { invalidLetter, isUnreadable } from "../delivery/write-dead-letter.ts";
import { attemptsKey, readActorMessage } from "../queue/actor-message.ts";
import { readBusMessage } from "../queue/bus-message.ts";
import { dynamoAttempts } from "../state/attempts.ts";
import type { OpenStage } from "./open-stage.ts";

/**
 * A message that SQS gave up on: `poison` with the event it holds, `invalid` where it holds none.
 */
export async function redrivenLetter(
  stage: OpenStage,
  queue: string,
  message: Message,
): Promise<DeadLetter> {
  const { Body = "", Attributes = {} } = message;
  const sentMs = Number(Attributes.SentTimestamp ?? 0);
  const why = `given up by SQS after ${Attributes.ApproximateReceiveCount} receives: see ${queue}`;
  try {
    if (queue === stage.names.busDlq) {
      const { event } = eventAndTarget(await readBusMessage(Body, stage.objects));
      return unroutableLetter(event, why, sentMs);
    }
    const { delivery } = await readActorMessage(Body, stage.objects);
    const record = await dynamoAttempts(stage.table).load(attemptsKey(delivery));
    const state = record?.state ?? NO_ATTEMPTS;
    const letter = deliveryLetter(delivery, "poison", state, sentMs);
    return { ...letter, last_error: letter.last_error ?? why };
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    const { MessageId: messageId = "" } = message;
    return invalidLetter({ messageId, body: Body, source: queue, sentMs }, error, sentMs);
  }
}
