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
  close?(): Promise<void>;
}
