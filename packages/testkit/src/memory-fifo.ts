/** A message in a FIFO queue of {@link memoryFifo}, as Lambda hands it over. */
export interface FifoRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: {
    readonly ApproximateReceiveCount: string;
    readonly SentTimestamp: string;
    readonly MessageGroupId: string;
  };
}

export interface FifoEntry {
  readonly body: string;
  readonly group: string;
  readonly dedupId: string;
}

/**
 * FIFO queues in memory, by URL; a queue is there when it is named. Times by the clock that they
 * were given.
 */
export interface MemoryFifo {
  send(queueUrl: string, entries: readonly FifoEntry[]): void;
  /**
   * Up to 10 visible messages. Of a group none while one is hidden, and each hidden by being
   * received.
   */
  receive(queueUrl: string): readonly FifoRecord[];
  remove(queueUrl: string, messageIds: readonly string[]): void;
  /** Counts from now. */
  hide(queueUrl: string, receiptHandles: readonly string[], seconds: number): void;
  /** All messages, hidden ones included. */
  count(queueUrl: string): number;
  readonly urls: readonly string[];
  /** When the next hidden message is visible again; Infinity where none is hidden. */
  nextVisibleMs(): number;
}

export interface MemoryFifoOptions {
  readonly now: () => number;
  /** For how long a message is hidden by being received; default 180. */
  readonly visibilitySeconds?: number;
}

interface Stored extends FifoEntry {
  readonly id: string;
  readonly sentMs: number;
  visibleAtMs: number;
  receives: number;
  receipt: string;
}

const BATCH = 10;
/** SQS forgets a deduplication id after 5 minutes. */
const DEDUP_MS = 300_000;

/**
 * SQS FIFO as AWS documents it: order and locks by group, deduplication by group, visibility. No
 * network, no redrive.
 */
export function memoryFifo({ now, visibilitySeconds = 180 }: MemoryFifoOptions): MemoryFifo {
  const queues = new Map<string, Stored[]>();
  const seen = new Map<string, number>();
  let counter = 0;
  const next = (): string => {
    counter += 1;
    return String(counter);
  };
  const queueOf = (url: string): Stored[] => {
    const queue = queues.get(url) ?? [];
    queues.set(url, queue);
    return queue;
  };

  return {
    send(queueUrl, entries) {
      for (const entry of entries) {
        const key = JSON.stringify([queueUrl, entry.group, entry.dedupId]);
        if (now() - (seen.get(key) ?? Number.NEGATIVE_INFINITY) < DEDUP_MS) continue;
        seen.set(key, now());
        const sent = { id: next(), sentMs: now(), visibleAtMs: 0, receives: 0, receipt: "" };
        queueOf(queueUrl).push({ ...entry, ...sent });
      }
    },
    receive(queueUrl) {
      const locked = new Set(
        queueOf(queueUrl).flatMap(({ group, visibleAtMs }) => (visibleAtMs > now() ? [group] : [])),
      );
      const taken = queueOf(queueUrl)
        .filter(({ group }) => !locked.has(group))
        .slice(0, BATCH);
      return taken.map((message) => {
        message.visibleAtMs = now() + visibilitySeconds * 1_000;
        message.receives += 1;
        message.receipt = next();
        return recordOf(message);
      });
    },
    remove(queueUrl, messageIds) {
      const gone = new Set(messageIds);
      const left = queueOf(queueUrl).filter(({ id }) => !gone.has(id));
      queues.set(queueUrl, left);
    },
    hide(queueUrl, receiptHandles, seconds) {
      const handles = new Set(receiptHandles);
      for (const message of queueOf(queueUrl)) {
        if (handles.has(message.receipt)) message.visibleAtMs = now() + seconds * 1_000;
      }
    },
    count: (queueUrl) => queueOf(queueUrl).length,
    get urls() {
      return [...queues.keys()];
    },
    nextVisibleMs() {
      const times = [...queues.values()].flat().map(({ visibleAtMs }) => visibleAtMs);
      return Math.min(Number.POSITIVE_INFINITY, ...times.filter((atMs) => atMs > now()));
    },
  };
}

function recordOf({ id, receipt, body, receives, sentMs, group }: Stored): FifoRecord {
  return {
    messageId: id,
    receiptHandle: receipt,
    body,
    attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: String(sentMs),
      MessageGroupId: group,
    },
  };
}
