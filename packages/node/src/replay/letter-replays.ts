import {
  type EndedRoute,
  type LanedRoute,
  type LetterHistory,
  letterDelivery,
  letterOfReplay,
  matcherFor,
  type Pace,
  replayPace,
  replayRefusal,
  routeEvent,
} from "@orgloop/engine";
import {
  type DeadLetter,
  type DeadLetterStore,
  type DeadLetterSummary,
  type LogEntry,
  messageOf,
  type RouteSpec,
} from "@orgloop/sdk";
import type { Current } from "../apply/generation.ts";
import { underWay } from "../apply/under-way.ts";
import { durably } from "../data/durably.ts";
import type { Bury } from "../delivery/burial.ts";
import type { Settled } from "../delivery/push-options.ts";
import type { Clock } from "../process/clock.ts";
import type { PlaceRouted } from "../routing/place-routed.ts";

export interface LetterReplaysOptions {
  readonly deadLetters: DeadLetterStore;
  readonly current: Current;
  readonly hasActor: (id: string) => boolean;
  readonly place: PlaceRouted["place"];
  readonly bury: Bury;
  readonly clock: Clock;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  /** Aborted when the process begins to stop. */
  readonly stop: AbortSignal;
}

/** What a replay began, and what it cannot do. */
export interface StartedReplay {
  readonly started: number;
  /** Were being replayed already: these are left to that. */
  readonly under_way: number;
  readonly refused: readonly RefusedReplay[];
}

export interface RefusedReplay {
  readonly id: string;
  readonly error: string;
}

/**
 * Puts dead letters back into their actors' queues. A letter stays until its delivery has succeeded, durably, so that a stop or a crash
 * in between loses nothing; where it fails again the letter is brought up to date. In order for each actor.
 */
export interface LetterReplays {
  /** What keeps a letter from being replayed, or null. */
  refusal(letter: DeadLetterSummary): string | null;
  isUnderWay(id: string): boolean;
  /** Begins; `rate` as `N/s` for all of it. Throws `INVALID_RATE`. */
  start(letters: readonly DeadLetterSummary[], rate?: string): StartedReplay;
  /** Buries; the letter of a replay keeps what is known of the attempts before. */
  readonly bury: Bury;
  /** Resolves when, after the stop, nothing is under way. */
  ended(): Promise<void>;
}

export function letterReplays(options: LetterReplaysOptions): LetterReplays {
  const { deadLetters, current, clock, log, stop } = options;
  const durable = durably({ clock, log, stop });
  const tasks = underWay();
  /** By id; null until the letter is read, when its turn comes. */
  const replaying = new Map<string, LetterHistory | null>();

  const refusal = (letter: DeadLetterSummary): string | null =>
    replayRefusal(letter, {
      route: (name) => current().routes.byName.get(name),
      hasActor: (id) => options.hasActor(id),
    });

  async function replayAll(ids: readonly string[], pace: Pace): Promise<void> {
    for (const id of ids) {
      try {
        if (await pace()) await replay(id);
        else replaying.delete(id);
      } catch (error) {
        replaying.delete(id);
        if (!stop.aborted) {
          log({ phase: "system.error", error: `${id} was not replayed: ${messageOf(error)}` });
        }
      }
    }
  }

  /** Resolves when the delivery has its place in the queue. */
  async function replay(id: string): Promise<void> {
    const letter = await deadLetters.get(id);
    if (letter === null) {
      replaying.delete(id);
      return;
    }
    // An apply may have come in between.
    const gone = refusal(letter);
    if (gone !== null) throw new Error(gone);
    const generation = current();
    const spec = generation.routes.byName.get(letter.route as string) as RouteSpec;
    const { attempts, first_at, first_error, last_error } = letter;
    replaying.set(id, { attempts, first_at, first_error, last_error });
    const onSettled = (how: Settled): void => void tasks.track(settled(id, how));
    const about = { generation, onSettled, waits: true };
    await generation.use(async () => options.place(await routedAnew(letter, spec), about));
  }

  /** Where the route's transforms have not run, they run now. */
  async function routedAnew(letter: DeadLetter, spec: RouteSpec): Promise<EndedRoute | LanedRoute> {
    const { router } = current();
    if (letter.untransformed !== true) {
      return { kind: "delivery", delivery: letterDelivery(letter, spec, router) };
    }
    const matcher = matcherFor({ route: spec.name }, router.matcher);
    const event = { ...letter.event, replay: (letter.event.replay ?? 0) + 1 };
    const { routes } = await routeEvent(event, { ...router, matcher });
    const [routed] = routes;
    if (routed === undefined) throw new Error(`the route "${spec.name}" takes it no longer`);
    return routed;
  }

  async function settled(id: string, how: Settled): Promise<void> {
    if (how !== "buried") {
      await durable(`${id} was replayed, but not removed`, () => deadLetters.remove([id]));
    }
    replaying.delete(id);
  }

  return {
    refusal,
    isUnderWay: (id) => replaying.has(id),
    start(letters, rate) {
      const pace = replayPace(rate, clock, stop);
      const refused: RefusedReplay[] = [];
      const byActor = new Map<string, string[]>();
      let already = 0;
      let started = 0;
      for (const letter of letters) {
        const error = refusal(letter);
        if (error !== null) {
          refused.push({ id: letter.id, error });
        } else if (replaying.has(letter.id)) {
          already += 1;
        } else {
          const { id } = letter;
          replaying.set(id, null);
          const ids = byActor.get(letter.actor as string) ?? [];
          ids.push(id);
          byActor.set(letter.actor as string, ids);
          started += 1;
        }
      }
      // One actor that takes nothing must not keep the letters of the others waiting.
      for (const ids of byActor.values()) void tasks.track(replayAll(ids, pace));
      return { started, under_way: already, refused };
    },
    bury(letter) {
      const earlier = replaying.get(letter.id) ?? null;
      return options.bury(earlier === null ? letter : letterOfReplay(letter, earlier));
    },
    ended: tasks.ended,
  };
}
