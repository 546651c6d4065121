import type { AckLine, LoggedEvent, SettleLine } from "./format/pending-lines.ts";

/** What the log holds that is not done with: in the order of publishing. */
export class UnsettledEvents {
  /** Events that are not acked, by id; also those whose line is not durable yet. */
  readonly byId = new Map<string, LoggedEvent>();
  /** Acks that are not durable yet. */
  readonly acking = new Set<AckLine>();
  /** Ends of single routes that are not durable yet. */
  readonly settling = new Set<SettleLine>();

  /** Every event whose line, but not its ack, is durable. */
  *unsettled(): Generator<LoggedEvent> {
    for (const { event } of this.acking) yield event;
    for (const event of this.byId.values()) if (event.segment !== null) yield event;
  }

  /** Durable, and handed to dispatch. */
  *published(): Generator<LoggedEvent> {
    for (const logged of this.byId.values()) if (logged.publishing === null) yield logged;
  }
}
