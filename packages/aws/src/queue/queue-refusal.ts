/**
 * Why a queue takes a message never: `queue`: it takes none, until somebody mends it (it is
 * missing, its policy or its key denies it); `message`: it does not take this one.
 */
export type Refusal = "queue" | "message";

/**
 * SQS's errors by their names, in both of its protocols (AWS, SQS API Reference, SendMessageBatch:
 * Errors). KmsThrottled is none: it passes.
 */
const OF_QUEUE =
  /^(?:QueueDoesNotExist|AWS\.SimpleQueueService\.NonExistentQueue|AccessDenied(?:Exception)?|InvalidAddress|(?:Kms|KMS\.)(?:AccessDenied|Disabled|InvalidKeyUsage|InvalidState|NotFound|OptInRequired)(?:Exception)?)$/;
const OF_MESSAGE =
  /^(?:InvalidMessageContents|InvalidParameterValue(?:Exception)?|MissingParameter|(?:AWS\.SimpleQueueService\.)?BatchRequestTooLong)$/;

/** Null: it may pass by itself. `error` is what {@link SqsSender} has said of a message. */
export function refusalOf(error: Error): Refusal | null {
  const name = error.cause instanceof Error ? error.cause.name : "";
  if (OF_QUEUE.test(name)) return "queue";
  return OF_MESSAGE.test(name) ? "message" : null;
}
