import { setTimeout as wait } from "node:timers/promises";
import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { OrgLoopError } from "@orgloop/sdk";

export interface SqsSenderOptions {
  readonly sqs: SQSClient;
  /**
   * How often an entry is sent that a call took without it; a call that fails is the client's to
   * repeat. Default 5.
   */
  readonly maxAttempts?: number;
  /** Default: 100 ms doubling, with full jitter. */
  readonly retryDelayMs?: (attempt: number) => number;
}

export interface SqsSender {
  /**
   * Sends to a queue; within a group in the given order. Throws what the first failure threw:
   * any of the others may be in the queue then, but of a group none behind one that is not. Repeat
   * it all: SQS drops what it has.
   */
  sendAll(queueUrl: string, messages: readonly QueueMessage[]): Promise<void>;
  /** The same, with an outcome for each message: null where it is in the queue. */
  sendEach(queueUrl: string, messages: readonly QueueMessage[]): Promise<readonly (Error | null)[]>;
}

export function sqsSender(options: SqsSenderOptions): SqsSender {
  const { sqs, maxAttempts = 5, retryDelayMs = jitteredMs } = options;

  async function sendEach(
    queueUrl: string,
    messages: readonly QueueMessage[],
  ): Promise<readonly (Error | null)[]> {
    const outcomes: (Error | null)[] = messages.map(() => null);
    const attempts = new Map<number, number>();
    let waiting: readonly number[] = messages.map((_, index) => index);
    while (waiting.length > 0) {
      const batch = nextBatch(messages, waiting);
      const failed = await sendBatch(sqs, queueUrl, messages, batch);
      const done = new Set(batch.filter((index) => !failed.has(index)));
      const stuck = new Map<string | number, Error>();
      const groupOf = (index: number) => messages[index]?.group ?? index;
      let delayMs = 0;
      for (const [index, { error, final }] of failed) {
        const attempt = (attempts.get(index) ?? 0) + 1;
        attempts.set(index, attempt);
        if (final || attempt >= maxAttempts) {
          stuck.set(groupOf(index), error);
        } else delayMs = Math.max(delayMs, retryDelayMs(attempt));
      }
      waiting = waiting.filter((index) => {
        const error = stuck.get(groupOf(index));
        if (error !== undefined && !done.has(index)) outcomes[index] = error;
        return error === undefined && !done.has(index);
      });
      if (delayMs > 0) await wait(delayMs);
    }
    return outcomes;
  }

  return {
    sendEach,
    async sendAll(queueUrl, messages) {
      const error = (await sendEach(queueUrl, messages)).find((outcome) => outcome !== null);
      if (error) throw error;
    },
  };
}

/** What failed of `batch`, and for good. */
async function sendBatch(
  sqs: SQSClient,
  queueUrl: string,
  messages: readonly QueueMessage[],
  batch: readonly number[],
): Promise<Map<number, { error: Error; final: boolean }>> {
  const Entries = batch.map((index) => {
    const { body, group, dedupId } = messages[index] as QueueMessage;
    return {
      Id: String(index),
      MessageBody: body,
      MessageGroupId: group,
      MessageDeduplicationId: dedupId,
    };
  });
  try {
    const { Failed = [] } = await sqs.send(
      new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }),
    );
    return new Map(
      Failed.map(({ Id, Code = "", Message = "", SenderFault }) => {
        const cause = Object.assign(new Error(Message), { name: Code });
        const error = refused(queueUrl, `${Code} ${Message}`, cause);
        return [Number(Id), { error, final: SenderFault ?? false }];
      }),
    );
  } catch (cause) {
    const error = refused(queueUrl, "the call failed", cause);
    return new Map(batch.map((index) => [index, { error, final: true }]));
  }
}

function refused(queueUrl: string, why: string, cause?: unknown): OrgLoopError {
  const message = `${queueUrl} did not take a message: ${why}`;
  return new OrgLoopError("QUEUE_REFUSED", message, { cause });
}

function jitteredMs(attempt: number): number {
  return Math.random() * 100 * 2 ** (attempt - 1);
}

/** What stands in a queue. */
export interface QueueMessage {
  readonly body: string;
  /** FIFO: messages of one group are received in the order in which they were sent. */
  readonly group?: string;
  /** FIFO: SQS drops what has the same one, in the same group, within 5 minutes. */
  readonly dedupId?: string;
}

/** What stands in a FIFO queue. */
export type FifoMessage = Required<QueueMessage>;

/** SQS quotas, SendMessageBatch: entries, and bytes of all bodies together. */
export const BATCH_ENTRIES = 10;
export const BATCH_BYTES = 1_048_576;

/**
 * The messages, by index, that go in one call: from the front, not more than one of a group. An
 * entry of a batch can fail alone, and two of one group would then stand in the wrong order.
 * `waiting` is not empty.
 */
function nextBatch(
  messages: readonly QueueMessage[],
  waiting: readonly number[],
): readonly number[] {
  const batch: number[] = [];
  const groups = new Set<string>();
  let bytes = 0;
  for (const index of waiting) {
    const { body, group } = messages[index] as QueueMessage;
    if (group !== undefined && groups.has(group)) continue;
    if (group !== undefined) groups.add(group);
    const size = Buffer.byteLength(body);
    if (batch.length > 0 && bytes + size > BATCH_BYTES) continue;
    batch.push(index);
    bytes += size;
    if (batch.length === BATCH_ENTRIES) break;
  }
  return batch;
}
