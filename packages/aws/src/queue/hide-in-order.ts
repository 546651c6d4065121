import { ChangeMessageVisibilityBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { OrgLoopError } from "@orgloop/sdk";
import { BATCH_ENTRIES } from "./sqs-sender.ts";

/** SQS quotas: how long a message can be hidden, from when it was received. */
export const MAX_HIDDEN_SECONDS = 43_200;

/** A message that is visible again, or gone, has nothing to hide. */
const NOT_IN_FLIGHT = [
  "MessageNotInflight",
  "ReceiptHandleIsInvalid",
  "AWS.SimpleQueueService.MessageNotInflight",
  "InvalidParameterValue",
  "InvalidParameterValueException",
];

/**
 * Hides the messages of one group, given in the order in which they were received, for the same
 * time from now, at least a second. The last is hidden first and the head last: a head that is back
 * while a follower is still hidden would be overtaken where that comes back during the head's next
 * attempt, as an emulator lets it. What is no longer in flight is left alone. Throws `NOT_HIDDEN`.
 */
export async function hideInOrder(
  { sqs, queueUrl }: { sqs: SQSClient; queueUrl: string },
  receiptHandles: readonly string[],
  seconds: number,
): Promise<void> {
  const VisibilityTimeout = Math.min(Math.max(Math.ceil(seconds), 1), MAX_HIDDEN_SECONDS);
  const backwards = receiptHandles.toReversed();
  for (let at = 0; at < backwards.length; at += BATCH_ENTRIES) {
    const Entries = backwards
      .slice(at, at + BATCH_ENTRIES)
      .map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout }));
    const { Failed = [] } = await sqs.send(
      new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }),
    );
    const refused = Failed.find(({ Code = "" }) => !NOT_IN_FLIGHT.includes(Code));
    if (refused === undefined) continue;
    throw new OrgLoopError("NOT_HIDDEN", `SQS: ${refused.Code}: ${refused.Message ?? "no reason"}`);
  }
}
