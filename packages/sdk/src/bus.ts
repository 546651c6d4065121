import type { EventType, OrgLoopEvent } from "./event.ts";

/** Which events a subscription gets; an absent key lets every value through. */
export interface EventFilter {
  readonly source?: string;
  readonly type?: EventType;
}

/** Of an event that is settled on no route. */
export const NO_ROUTES: ReadonlySet<string> = new Set();

/** What the bus knows of this hand-over. */
export interface Receipt {
  /**
   * 1 the first time; one more for each time the event came back: after a refusal, to another
   * subscription, after a restart where the bus is durable. Of refusals by an earlier process a bus
   * may know nothing more.
   */
  readonly attempt: number;
  /** Routes settled by an earlier hand-over: these are not to be delivered again. */
  readonly settled: ReadonlySet<string>;
}

/**
 * Takes an event over. Resolving means "taken", not "done": `ack` says done. While it is pending
 * the bus hands over no later event of the same source to this subscription: that is how
 * backpressure reaches the sources. Rejecting means "not taken": the event comes again later,
 * before the later events of its source.
 */
export type EventHandler = (event: OrgLoopEvent, receipt: Receipt) => Promise<void>;

export interface Subscription {
  /**
   * Ends the hand-overs; resolves when the pending ones have ended, so a handler must not await it.
   * What it took stays unacked.
   */
  unsubscribe(): Promise<void>;
}

/** The event bus. */
export interface EventBus {
  /**
   * Resolves when the event is durable (on a bus that is durable). Rejects, and keeps nothing,
   * otherwise.
   */
  publish(event: OrgLoopEvent): Promise<void>;
  subscribe(filter: EventFilter, handler: EventHandler): Subscription;
  /**
   * The event is done with; unknown ids are ignored. Resolves when that is durable. `note`, letters
   * and digits, stays with it on a bus that keeps such notes.
   */
  ack(eventId: string, note?: string): Promise<void>;
  /** What is not acked: what waits and what is taken. Order of publishing. */
  unacked(): Promise<OrgLoopEvent[]>;
}

/** What a bus can do; the conformance suite demands the law, or its declared weaker form. */
export interface BusCapabilities {
  /** What `publish` resolved survives the death of the process. */
  readonly durable: boolean;
  /** `unacked` lists the whole bus, or only what this process holds (SQS). */
  readonly unacked: "bus" | "process";
}

/**
 * What at-least-once delivery over many routes needs beyond {@link EventBus}. The laws, proven by
 * `busSuite` in testkit; on the path that is deployed to AWS, where no process holds a bus, by
 * `test/serverless/deployed-path-laws.test.ts`:
 *
 * - B1 A resolved publish survives a crash (durable).
 * - B2 What is not acked comes back after a crash, its `attempt` one higher.
 * - B3 What was acked, and every route settled, before a crash is not handed over after it.
 * - B4 Events of one source are handed over in the order of publishing, also across a rejected
 *   hand-over.
 * - B5 A source whose handler hangs or rejects does not hold up another source.
 * - B6 An id published again while it is unacked is one event.
 * - B7 Bytes survive: unicode, empty payloads, 1 MB payloads.
 * - B8 `close` ends the hand-overs and resolves twice; publishing on a closed bus rejects with
 *   `BUS_CLOSED`.
 * - B9 A subscription gets what its filter lets through and nothing else, including what was
 *   unacked before it began.
 */
export interface SettlingEventBus extends EventBus {
  readonly capabilities: BusCapabilities;
  /**
   * Publishes in order; resolves when all are durable. Not atomic: after a rejection any of them
   * may be on the bus.
   */
  publishAll(events: readonly OrgLoopEvent[]): Promise<void>;
  /**
   * One route of an unacked event is done with: it stands in `Receipt.settled` from now on.
   * Resolves when durable.
   */
  settle(eventId: string, route: string): Promise<void>;
  /** Waits for the pending hand-overs, whose acks it still takes, and for what is to be durable. */
  close(): Promise<void>;
}
