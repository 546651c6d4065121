/** How many messages a queue has, hidden ones included. */
export type CountMessages = (queueUrl: string) => Promise<number>;

/** Messages of a queue that were given up at about one time. */
export interface GivenUp {
  /** The beginning of its slot, in ms since the epoch. */
  readonly atMs: number;
  readonly messages: number;
}

/** What was given up of each queue lately, shared by all functions. */
export interface GivenUpLately {
  /**
   * Changes a queue's as if nobody else did; `change` is pure and may be called again. False:
   * others were faster each time, and nothing is changed.
   */
  update(
    queueUrl: string,
    change: (before: readonly GivenUp[]) => readonly GivenUp[],
  ): Promise<boolean>;
}

export interface QueueBoundOptions {
  readonly count: CountMessages;
  readonly givenUp: GivenUpLately;
  readonly now: () => number;
}

/** Keeps the bound of the actors' queues, which SQS does not have. */
export interface QueueBound {
  /**
   * How many of `taken` messages in hand are to be given up, so that no more than `depth` wait
   * behind them. They count as given up from then on.
   */
  excess(queueUrl: string, depth: number, taken: number): Promise<number>;
}

/** For how long a count serves to say that there is room. It is approximate on SQS's side too. */
const COUNT_CACHE_MS = 5_000;
/**
 * For how long a count may still hold what was given up (AWS, GetQueueAttributes: consistent a
 * minute after the last change).
 */
const STALE_MS = 60_000;
const SLOT_MS = 5_000;

export function queueBound({ count, givenUp, now }: QueueBoundOptions): QueueBound {
  const counts = new Map<string, { readonly messages: number; readonly atMs: number }>();
  return {
    async excess(queueUrl, depth, taken) {
      const over = (messages: number) => Math.max(0, messages - taken - depth);
      const known = counts.get(queueUrl);
      const isFresh = known !== undefined && now() - known.atMs < COUNT_CACHE_MS;
      if (isFresh && over(known.messages) === 0) return 0;
      // Nothing is given up for a count that may no longer be true.
      const messages = await count(queueUrl);
      counts.set(queueUrl, { messages, atMs: now() });
      if (over(messages) === 0) return 0;
      let share = 0;
      const done = await givenUp.update(queueUrl, (before) => {
        const after = shareOut(before, over(messages), taken, now());
        share = after.share;
        return after.givenUp;
      });
      return done ? share : 0;
    },
  };
}

/**
 * How many of `taken` are given up where a count has `over` too many. What was given up within the
 * last minute may be in that count still, by whichever function: it is not given up for twice.
 */
export function shareOut(
  before: readonly GivenUp[],
  over: number,
  taken: number,
  nowMs: number,
): { readonly share: number; readonly givenUp: readonly GivenUp[] } {
  // Of a clock that ran ahead it is not known when: it counts for no longer than any other.
  const recent = before
    .map(({ atMs, messages }) => ({ atMs: Math.min(atMs, nowMs), messages }))
    .filter(({ atMs }) => nowMs - atMs < STALE_MS + SLOT_MS);
  const lately = recent.reduce((sum, { messages }) => sum + messages, 0);
  const share = Math.min(taken, Math.max(0, over - lately));
  if (share === 0) return { share, givenUp: before };
  const slotMs = nowMs - (nowMs % SLOT_MS);
  const others = recent.filter(({ atMs }) => atMs !== slotMs);
  const inSlot = recent.find(({ atMs }) => atMs === slotMs)?.messages ?? 0;
  return { share, givenUp: [...others, { atMs: slotMs, messages: inSlot + share }] };
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
