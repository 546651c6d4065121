import { type Delivery, fillRoute, noticeDelivery, noticeEntry } from "@orgloop/engine";
import {
  type InboxEntry,
  type InboxStore,
  type LogEntry,
  messageOf,
  type Prompt,
  type RouteSpec,
} from "@orgloop/sdk";
import type { Track } from "../apply/in-flight.ts";
import type { ActorDeliverer } from "../delivery/actor-deliverer.ts";
import type { Settled } from "../delivery/taken-deliveries.ts";
import type { Clock } from "../process/clock.ts";
import type { InboxSessions } from "./inbox-sessions.ts";

export interface InboxNoticesOptions {
  readonly store: InboxStore;
  /** The route as it is now; undefined where it is gone. */
  readonly routeOf: (name: string) => RouteSpec | undefined;
  readonly promptOf: (route: RouteSpec) => Prompt | undefined;
  /** Straight to the actor, past its inbox. */
  readonly delivererOf: (actor: string) => ActorDeliverer | undefined;
  readonly sessions: InboxSessions;
  readonly track: Track;
  readonly clock: Clock;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  /** Aborted when the process begins to stop. */
  readonly stop: AbortSignal;
}

/** Tells the actor of a session what waits for it, once until it has drained. */
export function inboxNotices(options: InboxNoticesOptions): (key: string) => void {
  const { store, sessions, track, log, stop } = options;

  function notify(key: string): void {
    const failed = (error: unknown): void => noticeEnded(key, "failed", null, error);
    void track(sendNotice(key).catch(failed));
  }

  async function sendNotice(key: string): Promise<void> {
    const [oldest] = await store.list(key, 1);
    if (oldest === undefined) {
      // Drained meanwhile.
      if (sessions.change(key, { kind: "notice_delivered" })) notify(key);
      return;
    }
    const { delivery, deliverer } = noticeOf(key, oldest, options);
    const ended = (how: Settled): void => noticeEnded(key, how, delivery);
    await deliverer.push(delivery, ended, { waits: true });
  }

  function noticeEnded(
    key: string,
    how: Settled | "failed",
    delivery: Delivery | null,
    error?: unknown,
  ): void {
    const isDelivered = how === "delivered";
    const again = sessions.change(key, {
      kind: isDelivered ? "notice_delivered" : "notice_failed",
    });
    if (stop.aborted && !isDelivered) return;
    const { pending } = sessions.state(key);
    const why = error === undefined ? {} : { error: messageOf(error) };
    log(noticeEntry({ sessionKey: key, pending, delivered: isDelivered, ...why }, delivery));
    if (sessions.state(key).notice === "sent") remember(key, true);
    if (again) notify(key);
  }

  /** Forgotten, it only tells the actor once more after a restart. */
  function remember(key: string, notified: boolean): void {
    track(store.setNotified(key, notified)).catch((error) =>
      log({ phase: "system.error", error: `inbox notice not written: ${messageOf(error)}` }),
    );
  }

  return notify;
}

/** What the actor is told, and who tells it; throws where the route is gone. */
function noticeOf(
  key: string,
  { route: name, event: oldest }: InboxEntry,
  { routeOf, promptOf, delivererOf, sessions, clock }: InboxNoticesOptions,
): { readonly delivery: Delivery; readonly deliverer: ActorDeliverer } {
  const route = routeOf(name);
  const deliverer = route === undefined ? undefined : delivererOf(route.then.actor);
  if (route === undefined || deliverer === undefined) {
    throw new Error(`the route "${name}" no longer exists`);
  }
  const { actor, config } = route.then;
  const delivery = noticeDelivery({
    sessionKey: key,
    pending: sessions.state(key).pending,
    oldest,
    route: name,
    actor,
    ...fillRoute({ route: name, config, prompt: promptOf(route) }, oldest),
    nowMs: clock.wall(),
  });
  return { delivery, deliverer };
}
