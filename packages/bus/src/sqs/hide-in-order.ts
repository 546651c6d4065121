import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { BATCH_ENTRIES } from "./next-batch.ts";

/** SQS quotas: how long a message can be hidden, from when it was received. */
export const MOST_HIDDEN_SECONDS = 43_200;

/** A message that is visible again, or gone, has nothing to hide. */
const NOT_IN_FLIGHT = [
  "MessageNotInflight",
  "ReceiptHandleIsInvalid",
  "AWS.SimpleQueueService.MessageNotInflight",
  "InvalidParameterValue",
];

/**
 * Hides the messages of one group, in the order in which they were received, for the same time from now, at least a second: all come back
 * together and in order, also where an emulator would let a visible follower overtake its head. What is no longer in flight is left alone.
 */
export async function hideInOrder(
  { sqs, queueUrl }: { sqs: SQSClient; queueUrl: string },
  receiptHandles: readonly string[],
  seconds: number,
): Promise<void> {
  const VisibilityTimeout = Math.min(Math.max(Math.ceil(seconds), 1), MOST_HIDDEN_SECONDS);
  const [head, ...followers] = receiptHandles;
  if (head === undefined) return;
  try {
    await sqs.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: queueUrl,
        ReceiptHandle: head,
        VisibilityTimeout,
      }),
    );
  } catch (error) {
    if (!(error instanceof Error && NOT_IN_FLIGHT.includes(error.name))) throw error;
  }
  for (let at = 0; at < followers.length; at += BATCH_ENTRIES) {
    const Entries = followers
      .slice(at, at + BATCH_ENTRIES)
      .map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
}
