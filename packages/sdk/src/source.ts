import type { EventDraft } from "./event.ts";

/** One page of a poll. The host makes the events durable before it keeps the checkpoint. */
export interface SourcePage {
  readonly events: readonly EventDraft[];
  /** Opaque; where the next poll resumes once this page is durable. */
  readonly checkpoint: string;
}

export interface PollOptions {
  /** Aborted on drain and at the deadline. */
  readonly signal: AbortSignal;
  /**
   * When the host stops taking pages, in ms since the epoch: yield what is complete before it, the
   * rest comes next time.
   */
  readonly deadlineMs: number;
}

/** An HTTP request as every host (process, Lambda) can give it. */
export interface WebhookRequest {
  readonly method: string;
  /** Names in lower case; repeated headers joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** The bytes as sent: signatures are over these. */
  readonly body: Uint8Array;
  /**
   * The bytes that are meant: unpacked where `content-encoding` is gzip. To be called once the
   * signature has been checked. Rejects with {@link RefusedError} 413 where they are more than the
   * host takes. Absent: the body is as it was sent.
   */
  readonly content?: () => Promise<Uint8Array>;
}

/** One list of a polled source that could not be read last time. */
export interface IllList {
  /** As people know it, e.g. `acme/api workflow_runs`. */
  readonly list: string;
  readonly error: string;
  /** In a row. */
  readonly failures: number;
}

/**
 * A running source. It has `poll`, `receive` or both; a source that has both is polled only where
 * `poll.interval` is set.
 *
 * `poll` yields pages in order, oldest first. It yields nothing where nothing is new. A page must
 * be complete: the host may stop after any page. Throwing ends the poll; pages yielded before stay.
 * {@link RetryAfterError} delays the next poll.
 *
 * `receive` returns the events of one request; the host answers 200 once they are durable. It
 * throws {@link RefusedError} for what the sender must not repeat (400, 401, 404), before anything
 * else it does with the body.
 */
export interface Source {
  poll?(checkpoint: string | null, options: PollOptions): AsyncIterable<SourcePage>;
  receive?(request: WebhookRequest): Promise<readonly EventDraft[]>;
  /**
   * When the next poll is worth while, in ms since the epoch, `Infinity` for never; `nowMs` is the
   * time now. A hint for sources that know it (cron): the host polls then where that is sooner than
   * `poll.interval`. Without it the interval alone counts.
   */
  nextPoll?(nowMs: number): number;
  /**
   * Which of its lists could not be read last time, by its checkpoint. The source goes on with the
   * others.
   */
  illLists?(checkpoint: string | null): readonly IllList[];
  close?(): Promise<void>;
}
