import {
  type EndedRoute,
  isUnfitLetter,
  type LanedRoute,
  letterDelivery,
  letterOfReplay,
  matcherFor,
  type Pace,
  replayPace,
  replayRefusal,
  routeEvent,
  unfitLetter,
} from "@orgloop/engine";
import {
  type DeadLetter,
  type DeadLetterStore,
  type DeadLetterSummary,
  type LogEntry,
  messageOf,
  type RouteSpec,
} from "@orgloop/sdk";
import type { Current, Generation } from "../apply/generation.ts";
import { inFlight } from "../apply/in-flight.ts";
import { durably } from "../data/durably.ts";
import type { Settled } from "../delivery/taken-deliveries.ts";
import type { WriteDeadLetter } from "../delivery/write-dead-letter.ts";
import type { Intake } from "../intake/ingest.ts";
import type { Clock } from "../process/clock.ts";
import type { PlaceRouted } from "../routing/place-routed.ts";
import type { ReplayedLetters } from "./write-replayed-letter.ts";

export interface LetterReplaysOptions {
  readonly deadLetters: DeadLetterStore;
  readonly current: Current;
  readonly hasActor: (id: string) => boolean;
  readonly placing: Pick<PlaceRouted, "place">;
  readonly publishAgain: Intake["publishAgain"];
  readonly writeDeadLetter: WriteDeadLetter;
  /** Where it is kept which are being replayed. */
  readonly replayed: ReplayedLetters;
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
 * Puts dead letters back into their actors' queues. A letter stays until its delivery has
 * succeeded, durably, so that a stop or a crash in between loses nothing; where it fails again the
 * letter is brought up to date. In order for each actor.
 */
export interface LetterReplays {
  /** What keeps a letter from being replayed, or null. */
  refusal(letter: DeadLetterSummary): string | null;
  isInFlight(id: string): boolean;
  /** Begins; `rate` as `N/s` for all of it. Throws `INVALID_RATE`. */
  start(letters: readonly DeadLetterSummary[], rate?: string): StartedReplay;
  /** Resolves when, after the stop, nothing is under way. */
  ended(): Promise<void>;
}

export function letterReplays(options: LetterReplaysOptions): LetterReplays {
  const { deadLetters, current, placing, replayed, clock, log, stop } = options;
  const durable = durably({ clock, log, stop });
  const tasks = inFlight();

  const refusal = (letter: DeadLetterSummary): string | null =>
    replayRefusal(letter, {
      route: (name) => current().routes.byName.get(name),
      hasActor: options.hasActor,
    });

  async function replayAll(letters: readonly DeadLetterSummary[], pace: Pace): Promise<void> {
    for (const { id } of letters) {
      try {
        if (await pace()) await replay(id);
        else replayed.delete(id);
      } catch (error) {
        replayed.delete(id);
        if (stop.aborted) continue;
        log({ phase: "system.error", error: `${id} was not replayed: ${messageOf(error)}` });
      }
    }
  }

  /** Resolves when the delivery has its place in the queue. */
  async function replay(id: string): Promise<void> {
    const letter = await deadLetters.get(id);
    if (letter === null) return void replayed.delete(id);
    // An apply may have come in between.
    const gone = refusal(letter);
    if (gone !== null) throw new Error(gone);
    if (isUnfitLetter(letter)) return settled(id, await takenIn(letter, options));
    replayed.set(id, letter);
    const generation = current();
    const onSettled = (how: Settled): void => void tasks.track(settled(id, how));
    const about = { generation, onSettled, waits: true };
    await generation.use(async () => placing.place(await routedAnew(letter, generation), about));
  }

  async function settled(id: string, how: Settled): Promise<void> {
    if (how !== "dead") {
      await durable(`${id} was replayed, but not removed`, () => deadLetters.remove([id]));
    }
    replayed.delete(id);
  }

  return {
    refusal,
    isInFlight: (id) => replayed.has(id),
    start(letters, rate) {
      const pace = replayPace(rate, clock, stop);
      const { begun, ...answer } = choose(letters, refusal, replayed);
      // One actor that takes nothing must not keep the letters of the others waiting.
      const byActor = Map.groupBy(begun, ({ actor }) => actor);
      for (const ofActor of byActor.values()) void tasks.track(replayAll(ofActor, pace));
      return { started: begun.length, ...answer };
    },
    ended: tasks.ended,
  };
}

/** Its event did not fit: it is checked under the schema of now, and published. */
async function takenIn(
  letter: DeadLetter,
  { current, clock, writeDeadLetter, publishAgain }: LetterReplaysOptions,
): Promise<Settled> {
  const { id, event } = letter;
  const error = current().checkEvent?.(event) ?? null;
  if (error === null) {
    await publishAgain({ ...event, replay: (event.replay ?? 0) + 1 });
    return "delivered";
  }
  await writeDeadLetter(letterOfReplay({ ...unfitLetter(event, error, clock.wall()), id }, letter));
  return "dead";
}

/** Which of these letters are replayed from now on, and why the others are not. */
function choose(
  letters: readonly DeadLetterSummary[],
  refusal: LetterReplays["refusal"],
  replayed: ReplayedLetters,
): Omit<StartedReplay, "started"> & { readonly begun: readonly DeadLetterSummary[] } {
  const refused: RefusedReplay[] = [];
  const begun: DeadLetterSummary[] = [];
  let under_way = 0;
  for (const letter of letters) {
    const error = refusal(letter);
    if (error !== null) {
      refused.push({ id: letter.id, error });
    } else if (replayed.has(letter.id)) {
      under_way += 1;
    } else {
      replayed.set(letter.id, null);
      begun.push(letter);
    }
  }
  return { begun, under_way, refused };
}

/** Where the route's transforms have not run, they run now. */
async function routedAnew(
  letter: DeadLetter,
  { routes, router }: Generation,
): Promise<EndedRoute | LanedRoute> {
  const spec = routes.byName.get(letter.route as string) as RouteSpec;
  if (letter.untransformed !== true) {
    return { kind: "delivery", delivery: letterDelivery(letter, spec, router) };
  }
  const matcher = matcherFor({ route: spec.name }, router.matcher);
  const event = { ...letter.event, replay: (letter.event.replay ?? 0) + 1 };
  const { routes: taken } = await routeEvent(event, { ...router, matcher });
  const [routed] = taken;
  if (routed === undefined) throw new Error(`the route "${spec.name}" takes it no longer`);
  return routed;
}
