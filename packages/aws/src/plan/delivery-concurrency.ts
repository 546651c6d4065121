/**
 * What SQS hands over at once from a FIFO queue, at most (AWS, Lambda: event source mappings of
 * SQS).
 */
export const FIFO_BATCH = 10;
/** SQS gives a mapping no less. */
export const MIN_INVOCATIONS = 2;
/**
 * Fewer only where less is allowed: where much waits in few groups, SQS fills a batch from one of
 * them, and that one goes in order.
 */
const WANTED_INVOCATIONS = 8;

export interface DeliveryConcurrency {
  /**
   * Of the deliver function at a time for one actor's queue: the mapping's `MaximumConcurrency`.
   */
  readonly invocations: number;
  /** Attempts of different groups at a time in one of them. */
  readonly together: number;
}

/**
 * How an actor's `concurrency` (attempts in flight) is shared out: over invocations, and over the
 * groups of a batch, so that one that hangs does not keep the others of its batch waiting. Together
 * never more than allowed, but where that is 1: SQS's least is 2 invocations.
 */
export function deliveryConcurrency(concurrency: number): DeliveryConcurrency {
  const least = concurrency >= 2 * MIN_INVOCATIONS ? 2 : 1;
  const wanted = Math.max(least, Math.floor(concurrency / WANTED_INVOCATIONS));
  const together = Math.min(FIFO_BATCH, wanted);
  const invocations = Math.max(MIN_INVOCATIONS, Math.floor(concurrency / together));
  return { invocations, together };
}
