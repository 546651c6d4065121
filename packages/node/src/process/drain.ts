import type { OpenDelivery } from "../delivery/open-delivery.ts";
import type { HttpServer } from "../http/http-server.ts";
import type { OpenIntake } from "../intake/open-intake.ts";
import { type Clock, waitUntil } from "./clock.ts";

export interface DrainOptions {
  readonly intake: Pick<OpenIntake, "ended">;
  readonly delivery: Pick<OpenDelivery, "stop" | "settled">;
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
  const { intake, delivery, http, clock, abandon, graceMs } = options;
  const stopped = delivery.stop();
  await endOf(stopped, clock, graceMs);
  abandon.abort();
  await stopped;
  await Promise.all([http.close(END_GRACE_MS), endOf(intake.ended(), clock, END_GRACE_MS)]);
  // On a full disk the bus holds acks until there is room. Its close tries them once more, then
  // gives them up.
  await endOf(delivery.settled(), clock, END_GRACE_MS);
}

async function endOf(task: Promise<unknown>, clock: Clock, withinMs: number): Promise<void> {
  const done = new AbortController();
  await Promise.race([task, waitUntil(clock, clock.now() + withinMs, done.signal)]);
  done.abort();
}
