/** What stands in a FIFO queue. */
export interface FifoMessage {
  readonly body: string;
  /** Messages of one group are received in the order in which they were sent. */
  readonly group: string;
  /** SQS drops what has the same one, in the same group, within 5 minutes. */
  readonly dedupId: string;
}

/** SQS quotas, SendMessageBatch: entries, and bytes of all bodies together. */
export const BATCH_ENTRIES = 10;
export const BATCH_BYTES = 1_048_576;

/**
 * The messages, by index, that go in one call: from the front, not more than one of a group. An
 * entry of a batch can fail alone, and two of one group would then stand in the wrong order.
 * `waiting` is not empty.
 */
export function nextBatch(
  messages: readonly FifoMessage[],
  waiting: readonly number[],
): readonly number[] {
  const batch: number[] = [];
  const groups = new Set<string>();
  let bytes = 0;
  for (const index of waiting) {
    const { body, group } = messages[index] as FifoMessage;
    if (groups.has(group)) continue;
    groups.add(group);
    const size = Buffer.byteLength(body);
    if (batch.length > 0 && bytes + size > BATCH_BYTES) continue;
    batch.push(index);
    bytes += size;
    if (batch.length === BATCH_ENTRIES) break;
  }
  return batch;
}
