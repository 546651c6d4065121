import { loopDetector } from "@orgloop/engine";
import type { EventHandler, OrgLoopEvent, Subscription } from "@orgloop/sdk";
import { type Inbox, openInbox } from "../inbox/inbox.ts";
import type { Intake } from "../intake/ingest.ts";
import type { Repeats } from "../intake/repeats.ts";
import type { ProjectPorts } from "../process/project-ports.ts";
import { type LetterReplays, letterReplays } from "../replay/letter-replays.ts";
import { type ReplayedLetters, writeReplayedLetter } from "../replay/write-replayed-letter.ts";
import { PlaceRouted } from "../routing/place-routed.ts";
import { publicationTurns } from "../routing/publication-turns.ts";
import { routeSubscriber } from "../routing/route-subscriber.ts";
import { type Settlement, settlement } from "../routing/settlement.ts";
import type { Alert } from "../telemetry/alerts.ts";
import { Deliverers } from "./deliverers.ts";
import type { WriteDeadLetter } from "./write-dead-letter.ts";

export interface OpenDeliveryOptions extends ProjectPorts {
  readonly repeats: Repeats;
  readonly publishAgain: Intake["publishAgain"];
  readonly alert: Alert;
  readonly writeDeadLetter: WriteDeadLetter;
  /** Told of each event that is done with. */
  readonly onAcked: Set<(event: OrgLoopEvent) => void>;
}

/** The half of the process behind the bus. */
export interface OpenDelivery {
  readonly deliverers: Deliverers["all"];
  readonly letterReplays: LetterReplays;
  readonly inbox: Inbox;
  /**
   * Tells actors what waits in their inboxes, and begins the hand-overs, with what was left from
   * before first.
   */
  start(): Promise<void>;
  /** Goes on with the actors of `to` ({@link Deliverers.change}). */
  change: Deliverers["change"];
  /** Takes nothing more from the bus; resolves when no attempt is in flight. */
  stop(): Promise<void>;
  /** Resolves when the bus has been told of all that is done with. */
  settled(): Promise<void>;
  /** After the stop: keeps every route's state; resolves when nothing is under way. */
  ended(): Promise<void>;
}

/**
 * Puts together what takes events from the bus and gives them to the actors: see {@link places} and
 * {@link subscriber}.
 */
export function openDelivery(options: OpenDeliveryOptions): OpenDelivery {
  const { open, backlog, kept, writeDeadLetter } = options;
  options.onAcked.add(backlog.leave);
  const settling = settlement({
    ...options,
    bus: open.bus,
    claims: open.claims,
    stop: options.abandon,
  });
  const { deliverers, inbox, placing, replays } = places(options);
  const handler = subscriber(options, placing, settling, writeDeadLetter);
  let subscription: Subscription | null = null;
  return {
    deliverers: deliverers.all,
    letterReplays: replays,
    inbox,
    async start() {
      await inbox.start();
      subscription = open.bus.subscribe({}, handler);
    },
    change: (from, to, left) => deliverers.change(from, to, left),
    async stop() {
      const closing = [...deliverers.all.values()].map((deliverer) => deliverer.close());
      await Promise.all([subscription?.unsubscribe(), ...closing]);
    },
    settled: settling.flushed,
    async ended() {
      for (const deliverer of deliverers.all.values()) deliverer.keep();
      await kept.flushed();
      await Promise.all([replays.ended(), inbox.ended()]);
      await placing.ended();
    },
  };
}

interface Places {
  readonly deliverers: Deliverers;
  readonly inbox: Inbox;
  readonly placing: PlaceRouted;
  readonly replays: LetterReplays;
}

/**
 * Where what is routed goes: to an inbox, or to its actor's queue, and back there from a dead
 * letter.
 */
function places(options: OpenDeliveryOptions): Places {
  const { open, current, writeDeadLetter: writeNew } = options;
  const { deadLetters } = open;
  const replayed: ReplayedLetters = new Map();
  const writeDeadLetter = writeReplayedLetter(replayed, writeNew);
  const shared = { ...options, writeDeadLetter, mask: open.known.mask };
  const deliverers = new Deliverers(current(), shared);
  const delivererOf = (id: string) => deliverers.all.get(id);
  const inbox = openInbox({
    ...shared,
    store: open.inbox,
    routeOf: (name) => current().routes.byName.get(name),
    promptOf: (route) => current().router.promptOf(route),
    delivererOf,
  });
  const placing = new PlaceRouted({ ...shared, inbox, deliverers: deliverers.all, deadLetters });
  const replays = letterReplays({
    ...shared,
    deadLetters,
    replayed,
    hasActor: (id) => deliverers.all.has(id),
    placing,
  });
  return { deliverers, inbox, placing, replays };
}

/** Routes what the bus hands over, and gives it its places. */
function subscriber(
  options: OpenDeliveryOptions,
  placing: PlaceRouted,
  settling: Settlement,
  writeDeadLetter: WriteDeadLetter,
): EventHandler {
  const { open, current, backlog, onAcked, log } = options;
  return routeSubscriber({
    ...options,
    turns: publicationTurns({ isUnsettled: backlog.has, onAcked, log }),
    placing,
    settlement: settling,
    writeDeadLetter,
    deadLetters: open.deadLetters,
    loops: loopDetector(),
    project: current().topology.project,
  });
}
