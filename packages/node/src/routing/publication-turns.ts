import { eventAndTarget } from "@orgloop/engine";
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
  /** Told of each event that is done with; asked for while one of several publications waits. */
  readonly onAcked: Set<(event: OrgLoopEvent) => void>;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
}

/**
 * Hands a publication of an event that has another (`publication_of`) on to `route` when its turn
 * comes.
 */
export type PublicationTurns = (eventId: string, publication: Waiting) => Promise<void>;

/** A publication, and what is to be done with it. */
export interface Waiting {
  readonly published: OrgLoopEvent;
  readonly receipt: Receipt;
  readonly route: EventHandler;
}

/**
 * Two publications of one event (a repeat that is delivered again, an injected one) are routed one
 * after the other: the second once the first is done with. Whatever else its source has goes on
 * meanwhile.
 */
export function publicationTurns(options: PublicationTurnsOptions): PublicationTurns {
  const { isUnsettled, onAcked, log } = options;
  /** By event id: what waits. */
  const waiting = new Map<string, Waiting[]>();
  /** By event id: the publication that is routed, where it is not the first. */
  const routed = new Map<string, string>();

  async function begin(eventId: string, { published, receipt, route }: Waiting): Promise<void> {
    onAcked.add(acked);
    routed.set(eventId, published.id);
    await route(published, receipt);
  }

  function acked(published: OrgLoopEvent): void {
    const eventId = eventAndTarget(published).event.id;
    if (routed.get(eventId) === published.id) routed.delete(eventId);
    else if (published.id !== eventId) return;
    const queue = waiting.get(eventId);
    const next = queue?.shift();
    if (queue?.length === 0) waiting.delete(eventId);
    if (waiting.size === 0 && routed.size === 0) onAcked.delete(acked);
    if (next === undefined) return;
    // What it rejects with stays on the bus, and comes again after a restart.
    begin(eventId, next).catch((error) =>
      log({ phase: "system.error", event_id: eventId, error: messageOf(error) }),
    );
  }

  return async (eventId, mine) => {
    const { published } = mine;
    if (routed.get(eventId) === published.id) return begin(eventId, mine);
    const queue = waiting.get(eventId);
    if (queue !== undefined) return void queue.push(mine);
    if (!routed.has(eventId) && !isUnsettled(published.source, eventId))
      return begin(eventId, mine);
    onAcked.add(acked);
    waiting.set(eventId, [mine]);
  };
}
