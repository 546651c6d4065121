import type { SQSRecord } from "aws-lambda";
import type { UnreadableMessage } from "../delivery/write-dead-letter.ts";

/** What a function is handed of a message in a FIFO queue. */
export type ReceivedMessage = Pick<SQSRecord, "messageId" | "receiptHandle" | "body"> & {
  readonly attributes: Pick<
    SQSRecord["attributes"],
    "ApproximateReceiveCount" | "SentTimestamp" | "MessageGroupId"
  >;
};

/** Which messages come again: by their ids, as Lambda wants them (AWS, partial batch responses). */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** The messages of each group, in the order in which they were received. */
export function groupsOf(
  messages: readonly ReceivedMessage[],
): readonly (readonly ReceivedMessage[])[] {
  const groups = Map.groupBy(messages, ({ attributes }) => attributes.MessageGroupId ?? "");
  return [...groups.values()];
}

export function receivesOf({ attributes }: ReceivedMessage): number {
  return Number(attributes.ApproximateReceiveCount);
}

/**
 * After how long a message is given up as `expired`: a day before SQS drops it (retention is 14
 * days).
 */
const MAX_AGE_MS = 13 * 86_400_000;

export function isTooOld({ attributes }: ReceivedMessage, nowMs: number): boolean {
  return nowMs - Number(attributes.SentTimestamp) >= MAX_AGE_MS;
}

export function responseOf(returned: readonly ReceivedMessage[]): BatchResponse {
  return { batchItemFailures: returned.map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

/** What a letter says of a message that cannot be read. */
export function unreadable({ messageId, body, attributes }: ReceivedMessage): UnreadableMessage {
  const { MessageGroupId: source = "unknown", SentTimestamp } = attributes;
  return { messageId, body, source, sentMs: Number(SentTimestamp) };
}
