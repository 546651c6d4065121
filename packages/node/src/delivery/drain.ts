import type { Subscription } from "@orgloop/sdk";
import type { HttpServer } from "../http/http-server.ts";
import type { PollLoop } from "../intake/poll-loop.ts";
import { type Clock, waitUntil } from "../process/clock.ts";
import type { Settlement } from "../routing/settlement.ts";
import type { ActorDeliverer } from "./actor-deliverer.ts";

export interface DrainOptions {
  readonly subscription: Subscription;
  readonly deliverers: Iterable<ActorDeliverer>;
  readonly settlement: Settlement;
  readonly polls: PollLoop;
  readonly http: HttpServer;
  readonly clock: Clock;
  /** Ends the attempts in flight. */
  readonly abandon: AbortController;
  /** How long attempts in flight may take to end by themselves. */
  readonly graceMs: number;
}

/** How long requests and polls that were told to end may take to do so. */
const END_GRACE_MS = 1_000;

/**
 * Ends what runs, after intake was stopped: attempts in flight get their time, then they are
 * aborted. What is unsettled stays on the bus and comes again after the restart
 * (`docs/commands.md`, Draining).
 */
export async function drain(options: DrainOptions): Promise<void> {
  const { subscription, deliverers, settlement, polls, http, clock, abandon, graceMs } = options;
  const ended = Promise.all([
    subscription.unsubscribe(),
    ...[...deliverers].map((deliverer) => deliverer.close()),
  ]);
  await endOf(ended, clock, graceMs);
  abandon.abort();
  await ended;
  await Promise.all([http.close(END_GRACE_MS), endOf(polls.ended, clock, END_GRACE_MS)]);
  // On a full disk the bus holds acks until there is room. Its close tries them once more, then gives them up.
  await endOf(settlement.flushed(), clock, END_GRACE_MS);
}

async function endOf(task: Promise<unknown>, clock: Clock, withinMs: number): Promise<void> {
  const done = new AbortController();
  await Promise.race([task, waitUntil(clock, clock.now() + withinMs, done.signal)]);
  done.abort();
}
