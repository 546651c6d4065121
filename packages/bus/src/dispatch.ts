import type { EventFilter, EventHandler, OrgLoopEvent, Receipt, Subscription } from "@orgloop/sdk";

/** An unacked event, as dispatch sees it. */
export interface UnackedEvent {
  readonly event: OrgLoopEvent;
  /** Routes done with. */
  readonly settled: ReadonlySet<string>;
  /** How often it was handed over and came back. */
  returns: number;
  acked: boolean;
}

/** Calls back once after `ms`; the result cancels it. */
export type SetTimer = (callback: () => void, ms: number) => () => void;

export interface DispatchOptions {
  readonly setTimer?: SetTimer;
  /**
   * How long until a refused event comes again, in ms, from how often it was refused in a row (1,
   * 2, …). Default: 100 ms doubling up to 30 s.
   */
  readonly retryDelayMs?: (refusals: number) => number;
}

/**
 * Hands unacked events to subscriptions: laws B4, B5, B9 and the attempts of B2 (`@orgloop/sdk`,
 * bus.ts).
 */
export interface Dispatch {
  /** A new event, in the order of publishing. */
  add(unacked: UnackedEvent): void;
  /** The event was acked: it is handed over no more. */
  remove(unacked: UnackedEvent): void;
  /** `waiting`: what is unacked now, in the order of publishing. */
  subscribe(
    filter: EventFilter,
    handler: EventHandler,
    waiting: Iterable<UnackedEvent>,
  ): Subscription;
  /** Ends every subscription; resolves when the pending hand-overs have ended. */
  close(): Promise<void>;
}

export function createDispatch(options: DispatchOptions = {}): Dispatch {
  const subscribers = new Set<Subscriber>();
  return {
    add(unacked) {
      for (const subscriber of subscribers) subscriber.add(unacked);
    },
    remove(unacked) {
      unacked.acked = true;
      for (const subscriber of subscribers) subscriber.forget(unacked);
    },
    subscribe(filter, handler, waiting) {
      const subscriber = createSubscriber(filter, handler, options);
      subscribers.add(subscriber);
      for (const unacked of waiting) subscriber.add(unacked);
      return {
        unsubscribe() {
          subscribers.delete(subscriber);
          return subscriber.end();
        },
      };
    },
    async close() {
      const ends = [...subscribers].map((subscriber) => subscriber.end());
      subscribers.clear();
      await Promise.all(ends);
    },
  };
}

interface Subscriber {
  add(unacked: UnackedEvent): void;
  forget(unacked: UnackedEvent): void;
  end(): Promise<void>;
}

/** The events of one source that wait for one subscriber; the head is the one being handed over. */
interface Lane {
  queue: UnackedEvent[];
  head: number;
  refusals: number;
  cancelTimer: (() => void) | null;
}

function createSubscriber(
  filter: EventFilter,
  handler: EventHandler,
  { setTimer = systemTimer, retryDelayMs = doublingDelayMs }: DispatchOptions,
): Subscriber {
  const lanes = new Map<string, Lane>();
  const taken = new Set<UnackedEvent>();
  const running = new Set<Promise<void>>();
  let ended = false;

  function advance(source: string, lane: Lane): void {
    if (ended) return;
    lane.cancelTimer = null;
    while (lane.queue[lane.head]?.acked) lane.head += 1;
    const unacked = lane.queue[lane.head];
    if (unacked === undefined) return void lanes.delete(source);
    taken.add(unacked);
    const pending: Promise<void> = call(handler, unacked).then((refused) => {
      running.delete(pending);
      if (refused) {
        if (taken.delete(unacked)) unacked.returns += 1;
        lane.refusals += 1;
        if (!ended) {
          lane.cancelTimer = setTimer(() => advance(source, lane), retryDelayMs(lane.refusals));
        }
      } else {
        lane.refusals = 0;
        pop(lane);
        advance(source, lane);
      }
    });
    running.add(pending);
  }

  return {
    add(unacked) {
      const { source, type } = unacked.event;
      if (filter.source !== undefined && filter.source !== source) return;
      if (filter.type !== undefined && filter.type !== type) return;
      const lane = lanes.get(source);
      if (lane !== undefined) return void lane.queue.push(unacked);
      const created: Lane = { queue: [unacked], head: 0, refusals: 0, cancelTimer: null };
      lanes.set(source, created);
      advance(source, created);
    },
    forget(unacked) {
      taken.delete(unacked);
    },
    async end() {
      if (!ended) {
        ended = true;
        for (const lane of lanes.values()) lane.cancelTimer?.();
        lanes.clear();
      }
      await Promise.all(running);
      for (const unacked of taken) unacked.returns += 1;
      taken.clear();
    },
  };
}

/** True where the handler refused the event. */
async function call(handler: EventHandler, unacked: UnackedEvent): Promise<boolean> {
  const receipt: Receipt = { attempt: unacked.returns + 1, settled: new Set(unacked.settled) };
  try {
    await handler(unacked.event, receipt);
    return false;
  } catch {
    return true;
  }
}

function pop(lane: Lane): void {
  lane.head += 1;
  if (lane.head > 1024 && lane.head * 2 > lane.queue.length) {
    lane.queue = lane.queue.slice(lane.head);
    lane.head = 0;
  }
}

/** The process's own timers. */
export const systemTimer: SetTimer = (callback, ms) => {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
};

function doublingDelayMs(refusals: number): number {
  return Math.min(100 * 2 ** (refusals - 1), 30_000);
}
