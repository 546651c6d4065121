import type { PendingLine } from "../format/batch.ts";
import type { LoggedEvent } from "../format/logged-event.ts";
import type { Position, Segment } from "../format/segment.ts";

/** A line that is no event: somebody waits for it. */
abstract class WaitingLine implements PendingLine {
  readonly body: string;
  readonly keep: boolean = true;
  seq = 0;
  offset = 0;
  length = 0;
  readonly promise: Promise<void>;
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;

  constructor(body: string) {
    this.body = body;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.promise = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    // Whoever waits is told; nobody has to wait.
    promise.catch(() => undefined);
  }

  abstract placed(segment: Segment): void;

  done(): void {
    this.#resolve();
  }

  fail(error: Error): void {
    this.#reject(error);
  }
}

/** The log was opened. */
export class OpenLine extends WaitingLine {
  placed(): void {}
}

/** The log is closed; given up where the disk is full, so that closing ends. */
export class CloseLine extends WaitingLine {
  override readonly keep = false;
  isDurable = false;

  placed(): void {
    this.isDurable = true;
  }
}

/** An event is done with. */
export class AckLine extends WaitingLine {
  readonly event: LoggedEvent;
  readonly #acking: Set<AckLine>;

  constructor(event: LoggedEvent, acking: Set<AckLine>, note?: string) {
    super(`"ack":${event.seq}${note === undefined ? "" : `,"note":${JSON.stringify(note)}`}}`);
    this.event = event;
    this.#acking = acking;
  }

  placed(): void {
    this.#acking.delete(this);
    this.event.forget();
  }
}

/** One route of an event is done with. */
export class SettleLine extends WaitingLine {
  readonly event: LoggedEvent;
  readonly route: string;
  readonly #settling: Set<SettleLine>;

  constructor(event: LoggedEvent, route: string, settling: Set<SettleLine>) {
    super(`"settle":${event.seq},"route":${JSON.stringify(route)}}`);
    this.event = event;
    this.route = route;
    this.#settling = settling;
  }

  placed(segment: Segment): void {
    this.#settling.delete(this);
    const { seq, offset, length } = this;
    const position: Position = { seq, segment, offset, length };
    this.event.addSettle(position);
  }
}
