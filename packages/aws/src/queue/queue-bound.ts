/** How many messages a queue has, hidden ones included. */
export type CountMessages = (queueUrl: string) => Promise<number>;

export interface QueueBoundOptions {
  readonly count: CountMessages;
  readonly now: () => number;
}

/** Keeps the bound of the actors' queues, which SQS does not have. */
export interface QueueBound {
  /**
   * How many of `taken` messages in hand are to be given up, so that no more than `depth` wait
   * behind them.
   */
  excess(queueUrl: string, depth: number, taken: number): Promise<number>;
}

/** For how long a count serves to say that there is room. It is approximate on SQS's side too. */
const KEPT_MS = 5_000;

export function queueBound({ count, now }: QueueBoundOptions): QueueBound {
  const counts = new Map<string, { readonly messages: number; readonly atMs: number }>();
  return {
    async excess(queueUrl, depth, taken) {
      const excessOf = (messages: number) => Math.min(taken, Math.max(0, messages - taken - depth));
      const known = counts.get(queueUrl);
      const isFresh = known !== undefined && now() - known.atMs < KEPT_MS;
      if (isFresh && excessOf(known.messages) === 0) return 0;
      // Nothing is given up for a count that may no longer be true.
      const messages = await count(queueUrl);
      counts.set(queueUrl, { messages, atMs: now() });
      return excessOf(messages);
    },
  };
}

/** The first `count` messages when each group gives up its oldest in turn. */
export function oldestOfEachGroup<Message>(
  groups: readonly (readonly Message[])[],
  count: number,
): ReadonlySet<Message> {
  const chosen = new Set<Message>();
  const longest = Math.max(0, ...groups.map((group) => group.length));
  for (let at = 0; at < longest; at++) {
    for (const group of groups) {
      const message = group[at];
      if (message !== undefined && chosen.size < count) chosen.add(message);
    }
  }
  return chosen;
}
