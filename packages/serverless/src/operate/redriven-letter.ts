import { createHash } from "node:crypto";
import type { Message } from "@aws-sdk/client-sqs";
import { readBusMessage } from "@orgloop/bus/sqs";
import { deliveryLetter, NO_ATTEMPTS, offBus, unroutableLetter } from "@orgloop/core";
import { type DeadLetter, hasCode, messageOf } from "@orgloop/sdk";
import { dynamoAttempts } from "@orgloop/stores/dynamodb";
import { readActorMessage } from "../actor-message.ts";
import type { OpenStage } from "./open-stage.ts";

/** A message that SQS gave up on: `poison` with the event it holds, `invalid` where it holds none. */
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
      const { event } = offBus(await readBusMessage(Body, stage.objects));
      return unroutableLetter(event, why, sentMs);
    }
    const { delivery, delivery_id } = await readActorMessage(Body, stage.objects);
    const record = await dynamoAttempts(stage.table).load(delivery_id);
    const state = record?.state ?? NO_ATTEMPTS;
    const letter = deliveryLetter(delivery, "poison", state, sentMs);
    return { ...letter, last_error: letter.last_error ?? why };
  } catch (error) {
    if (!hasCode(error, "MESSAGE_UNREADABLE") && !hasCode(error, "OBJECT_MISSING")) throw error;
    return invalidLetter(queue, message, messageOf(error), sentMs);
  }
}

function invalidLetter(
  queue: string,
  { Body = "", MessageId = "" }: Message,
  error: string,
  sentMs: number,
): DeadLetter {
  const id = createHash("sha256").update(MessageId).digest("hex").slice(0, 32);
  const at = new Date(sentMs).toISOString();
  return {
    id: `dl_${id}`,
    event_id: `evt_${id}`,
    route: null,
    actor: null,
    reason: "invalid",
    attempts: 0,
    first_at: at,
    last_at: at,
    first_error: error,
    last_error: error,
    event: {
      id: `evt_${id}`,
      timestamp: at,
      source: queue,
      type: "resource.changed",
      provenance: { platform: "sqs" },
      payload: { body: Body },
      trace_id: `trc_${id}`,
    },
  };
}
