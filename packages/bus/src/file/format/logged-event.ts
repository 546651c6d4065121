import type { OrgLoopEvent } from "@orgloop/sdk";
import type { Held } from "../../dispatch.ts";
import type { PendingLine } from "./batch.ts";
import type { Position, Segment } from "./segment.ts";

/** Most events never have a settled route of their own: they share these. */
const NONE: ReadonlySet<string> = new Set();
const NO_LINES: readonly Position[] = [];

/**
 * An event of the log: on its way to the disk while `segment` is null, then unsettled until its ack
 * is durable.
 */
export class LoggedEvent implements Held, PendingLine {
  readonly event: OrgLoopEvent;
  settled: ReadonlySet<string> = NONE;
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
