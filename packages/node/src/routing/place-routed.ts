import {
  type Delivery,
  type EndedRoute,
  faultLetter,
  inboxTerms,
  isDeadLetter,
  type LanedRoute,
  type OpenEntry,
  type RouteFault,
  skippedEntry,
  withNoticeKey,
} from "@orgloop/engine";
import { type DeadLetterStore, messageOf } from "@orgloop/sdk";
import type { Generation } from "../apply/generation.ts";
import { inFlight } from "../apply/in-flight.ts";
import type { ActorDeliverer } from "../delivery/actor-deliverer.ts";
import type { PushOptions, Settled, Transformed } from "../delivery/taken-deliveries.ts";
import type { WriteDeadLetter } from "../delivery/write-dead-letter.ts";
import type { Inbox } from "../inbox/inbox.ts";
import type { Clock } from "../process/clock.ts";

export interface PlaceRoutedOptions {
  readonly inbox: Pick<Inbox, "take">;
  /** By actor: each that a route leads to has one. */
  readonly deliverers: ReadonlyMap<string, ActorDeliverer>;
  readonly writeDeadLetter: WriteDeadLetter;
  readonly deadLetters: Pick<DeadLetterStore, "get">;
  readonly clock: Clock;
  readonly log: (entry: OpenEntry) => void;
  /** Aborted when a drain gives up on what is under way. */
  readonly abandon: AbortSignal;
}

/** Of one route of an event. */
export interface RoutedRoute extends Pick<PushOptions, "waits" | "returned"> {
  /** Under which it was routed: it stays open until the route's transforms have ended. */
  readonly generation: Generation;
  /** Called once. */
  readonly onSettled: (how: Settled) => void;
  /** It was in a lane, and its transforms let it through. */
  readonly onTransformed?: () => void;
}

/** Letters of faults that are written at once: they share syncs. */
const MAX_LETTERS_WRITING = 1_000;

/** Sees to it that an event ends on each of its routes, and does not wait for slow ones. */
export class PlaceRouted {
  readonly #options: PlaceRoutedOptions;
  readonly #lettersInFlight = inFlight();
  #lettersWriting = 0;

  constructor(options: PlaceRoutedOptions) {
    this.#options = options;
  }

  /**
   * Resolves when what is to be delivered or transformed has its place. Rejects with `DRAINING`
   * where it gets none.
   */
  async place(routed: EndedRoute | LanedRoute, about: RoutedRoute): Promise<void> {
    const { returned = false, onSettled } = about;
    if (routed.kind === "ended") return onSettled(routed.by);
    const { delivery } = routed;
    const { deadLetters } = this.#options;
    if (returned && (await isDeadLetter(delivery, deadLetters).catch(() => false))) {
      this.#options.log(skippedEntry(delivery.event, delivery));
      return onSettled("dead");
    }
    if (routed.kind === "fault") {
      const written = this.#lettersInFlight.track(this.#writeFaultLetter(routed, onSettled));
      return this.#lettersWriting > MAX_LETTERS_WRITING ? written : undefined;
    }
    if (routed.kind === "in lane") return this.#inLane(routed, about);
    // An inbox is past the queue: what comes behind a lane must not overtake it there.
    if (inboxTerms(delivery) !== null && this.#isTransforming(delivery)) {
      const placeholder = { ...delivery, config: {}, untransformed: true } as const;
      const run = async () => routed;
      return this.#inLane({ kind: "in lane", delivery: placeholder, run }, about);
    }
    return this.#push(delivery, onSettled, optionsOf(delivery, about));
  }

  /** Resolves when no letter is being written. */
  ended(): Promise<void> {
    return this.#lettersInFlight.ended();
  }

  /** Gives a delivery to the inbox of its session where it has one, otherwise to its actor. */
  async #push(
    delivery: Delivery,
    onSettled: (how: Settled) => void,
    options?: PushOptions,
  ): Promise<void> {
    const { inbox, deliverers } = this.#options;
    const own = withNoticeKey(delivery);
    const terms = inboxTerms(own);
    if (terms !== null) return inbox.take(own, terms, onSettled);
    await (deliverers.get(own.actor) as ActorDeliverer).push(own, onSettled, options);
  }

  #isTransforming({ actor, route }: Delivery): boolean {
    return this.#options.deliverers.get(actor)?.hasUntransformed(route) === true;
  }

  async #writeFaultLetter(fault: RouteFault, onSettled: RoutedRoute["onSettled"]): Promise<void> {
    const { writeDeadLetter, clock } = this.#options;
    this.#lettersWriting += 1;
    if (await writeDeadLetter(faultLetter(fault, clock.wall()))) onSettled("dead");
    this.#lettersWriting -= 1;
  }

  #inLane(routed: LanedRoute, about: RoutedRoute): Promise<void> {
    const { log } = this.#options;
    const { generation } = about;
    const ended = Promise.withResolvers<void>();
    void generation.use(() => ended.promise);
    const onSettled = (how: Settled): void => {
      ended.resolve();
      about.onSettled(how);
    };
    const transform = async (): Promise<Transformed | null> => {
      try {
        return await this.#transformed(routed, { ...about, onSettled });
      } catch (error) {
        log({ phase: "system.error", route: routed.delivery.route, error: messageOf(error) });
        return null;
      } finally {
        ended.resolve();
      }
    };
    return this.#push(routed.delivery, onSettled, {
      ...optionsOf(routed.delivery, about),
      transform,
    }).catch((error) => {
      ended.resolve();
      throw error;
    });
  }

  async #transformed(
    { run }: LanedRoute,
    { onSettled, onTransformed = () => {} }: RoutedRoute,
  ): Promise<Transformed | null> {
    const routed = await run();
    const { abandon } = this.#options;
    // Cut short: what its transforms seem to have dropped must come again.
    if (abandon.aborted) return null;
    if (routed.kind === "ended") return { kind: "ended", end: () => onSettled(routed.by) };
    onTransformed();
    if (routed.kind === "fault") {
      return { kind: "ended", end: () => this.#writeFaultLetter(routed, onSettled) };
    }
    if (inboxTerms(routed.delivery) === null) return routed;
    return {
      kind: "ended",
      end: () => this.#push(routed.delivery, onSettled).catch(() => undefined),
    };
  }
}

function optionsOf(
  { actor }: Delivery,
  { generation, returned = false, waits = false }: RoutedRoute,
): PushOptions {
  return { returned, waits, matched: generation.routes.policies.get(actor) };
}
