import { offBus, type Published } from "@orgloop/engine";
import {
  type EventHandler,
  type LogEntry,
  messageOf,
  type OrgLoopEvent,
  type Receipt,
} from "@orgloop/sdk";

export interface PublicationTurnsOptions {
  /** Whether the publication of that id is on the bus and not done with. */
  readonly isUnsettled: (source: string, id: string) => boolean;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
}

export interface PublicationTurns {
  /** Hands publications on to `route`, one of an event at a time. */
  handler(route: EventHandler): EventHandler;
  /** A publication is done with. */
  acked(held: OrgLoopEvent): void;
}

interface Waiting {
  readonly held: OrgLoopEvent;
  readonly receipt: Receipt;
  readonly route: EventHandler;
}

/**
 * Two publications of one event (a repeat that is delivered again, an injected one) are routed one
 * after the other: the second once the first is done with. Whatever else its source has goes on
 * meanwhile.
 */
export function publicationTurns(options: PublicationTurnsOptions): PublicationTurns {
  const { isUnsettled, log } = options;
  /** By event id: what waits. */
  const waiting = new Map<string, Waiting[]>();
  /** By event id: the publication that is routed, where it is not the first. */
  const routed = new Map<string, string>();

  async function begin(eventId: string, { held, receipt, route }: Waiting): Promise<void> {
    routed.set(eventId, held.id);
    await route(held, receipt);
  }

  async function take(held: Published, receipt: Receipt, route: EventHandler): Promise<void> {
    const eventId = held.publication_of;
    if (eventId === undefined) return route(held, receipt);
    const mine = { held, receipt, route };
    if (routed.get(eventId) === held.id) return begin(eventId, mine);
    const queue = waiting.get(eventId);
    if (queue !== undefined) return void queue.push(mine);
    if (routed.has(eventId) || isUnsettled(held.source, eventId)) {
      waiting.set(eventId, [mine]);
      return;
    }
    return begin(eventId, mine);
  }

  return {
    handler: (route) => (held, receipt) => take(held, receipt, route),
    acked(held) {
      if (waiting.size === 0 && routed.size === 0) return;
      const eventId = offBus(held).event.id;
      if (routed.get(eventId) === held.id) routed.delete(eventId);
      else if (held.id !== eventId) return;
      const queue = waiting.get(eventId);
      const next = queue?.shift();
      if (next === undefined) return;
      if (queue?.length === 0) waiting.delete(eventId);
      // What it rejects with stays on the bus, and comes again after a restart.
      begin(eventId, next).catch((error) =>
        log({ phase: "system.error", event_id: eventId, error: messageOf(error) }),
      );
    },
  };
}
