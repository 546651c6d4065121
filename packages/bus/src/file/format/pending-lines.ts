import { NO_ROUTES, type OrgLoopEvent } from "@orgloop/sdk";
import type { UnackedEvent } from "../../dispatch.ts";
import type { Position, Segment } from "./segment.ts";

/** A line on its way to the disk, and who waits for it. */
export interface PendingLine {
  /** What follows `"batch":B,`. */
  readonly body: string;
  /** True for what must not be given up when the disk is full: it is tried again. */
  readonly keep: boolean;
  /** Set when the line is encoded. */
  seq: number;
  /** Within the batch, then within the segment. */
  offset: number;
  length: number;
  /** It is durable, at `offset` in `segment`. */
  placed(segment: Segment): void;
  /** Called soon after {@link placed}: whoever waits may be told. */
  done(): void;
  /** It is not on the disk, and will not be. */
  fail(error: Error): void;
}

const NO_LINES: readonly Position[] = [];

/**
 * An event of the log: on its way to the disk while `segment` is null, then unsettled until its ack
 * is durable.
 */
export class LoggedEvent implements UnackedEvent, PendingLine {
  readonly event: OrgLoopEvent;
  settled: ReadonlySet<string> = NO_ROUTES;
  returns = 0;
  acked = false;

  /** When it was published, in ms since the epoch. */
  readonly at: number;
  segment: Segment | null = null;
  seq = 0;
  offset = 0;
  length = 0;
  /** The lines of its settled routes. */
  settles: readonly Position[] = NO_LINES;
  /** Its ack is durable: its lines are wanted no more. */
  gone = false;

  body: string;
  readonly keep = false;
  /** Its publish, until whoever waits for it has been told. */
  publishing: PromiseWithResolvers<void> | null = null;
  readonly #listener: PublishListener | null;

  constructor(event: OrgLoopEvent, at: number, body = "", listener: PublishListener | null = null) {
    this.event = event;
    this.at = at;
    this.body = body;
    this.#listener = listener;
  }

  placed(segment: Segment): void {
    this.segment = segment;
    this.body = "";
    segment.live += this.length;
  }

  done(): void {
    this.publishing?.resolve();
    this.publishing = null;
    this.#listener?.published(this);
  }

  fail(error: Error): void {
    this.#listener?.refused(this);
    this.publishing?.reject(error);
  }

  addRoute(route: string): void {
    this.settled = new Set(this.settled).add(route);
  }

  /** A route's line is durable. */
  addSettle(position: Position): void {
    if (this.gone) return;
    this.settles = [...this.settles, position];
    position.segment.live += position.length;
  }

  /** Its ack is durable. */
  forget(): void {
    this.gone = true;
    if (this.segment !== null) this.segment.live -= this.length;
    for (const { segment, length } of this.settles) segment.live -= length;
    this.settles = NO_LINES;
  }
}

export function eventBody(event: OrgLoopEvent, at: number, open: number): string {
  return `"event":${JSON.stringify(event)},"at":${at},"open":${open}}`;
}

/** The parsed line of an event. */
export interface EventLine {
  readonly event: OrgLoopEvent;
  readonly at: number;
  readonly open: number;
}

/** Hears what became of a publish. */
export interface PublishListener {
  published(event: LoggedEvent): void;
  refused(event: LoggedEvent): void;
}

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
