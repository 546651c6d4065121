/**
 * Who claimed a dedup key. A key belongs to the *event id* that claimed it first: the same event
 * passes again, another event is a duplicate. Otherwise a crash between dedup and delivery would
 * lose the event.
 */
export interface ClaimStore {
  /**
   * True where `eventId` holds `key` now: it was free, its `windowMs` since the first claim had
   * passed, or it held it already.
   */
  claim(key: string, eventId: string, windowMs: number, nowMs: number): Promise<boolean>;
  /**
   * Resolves when the end of the process would lose none of the claims made so far: the host asks
   * for it before it acks their events. Absent: `claim` resolves only then.
   */
  written?(): Promise<void>;
  close?(): Promise<void>;
}
