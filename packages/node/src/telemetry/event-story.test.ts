import {
  compileMatcher,
  type EventStory,
  eventStory,
  explainRoute,
  type FoundTraces,
} from "@orgloop/engine";
import {
  type DeadLetterSummary,
  type DeliverySpec,
  type OrgLoopEvent,
  PermanentError,
  type RouteSpec,
  type Transform,
} from "@orgloop/sdk";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Fixture,
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  TOKEN,
  topologyOf,
} from "../process/process-fixture.ts";

const headers = { authorization: `Bearer ${TOKEN}` };

/** How an event ended on a route, as those saw it whom it reached. */
interface Seen {
  state: "delivered" | "dropped" | "halted";
  readonly transform?: string;
  /** Of the attempt that succeeded. */
  readonly attempt?: number;
  readonly replay?: number;
}

interface World {
  readonly seen: Map<string, Seen>;
  ill: boolean;
}

const keyOf = (event: string, on: string): string => `${event} ${on}`;

/** Fails as the event's payload says, until the world is well. */
function scriptedActor(world: World) {
  const failed = new Map<string, number>();
  return recordingActor((event, { route: on, attempt, replay }) => {
    const key = keyOf(event.id, on);
    const { fails, permanent } = event.payload as { fails: number; permanent: boolean };
    const before = failed.get(key) ?? 0;
    if (world.ill && before < fails) {
      failed.set(key, before + 1);
      throw permanent ? new PermanentError("never") : new Error("not yet");
    }
    world.seen.set(key, { state: "delivered", attempt, replay });
  });
}

/** `odd` drops odd ones, `once` what it has passed with that key before, `boom` throws for some. */
function transformsOf(world: World): Readonly<Record<string, Transform>> {
  const claimed = new Map<string, string>();
  const dropped = (event: OrgLoopEvent, on: string, transform: string): null => {
    world.seen.set(keyOf(event.id, on), { state: "dropped", transform });
    return null;
  };
  return {
    odd: {
      execute: async (event, context) =>
        Number(event.payload.n) % 2 === 1 ? dropped(event, context.route, "odd") : event,
    },
    once: {
      async execute(event, context) {
        const key = keyOf(String(event.payload.k), context.route);
        const by = claimed.get(key) ?? event.id;
        claimed.set(key, by);
        return by === event.id ? event : dropped(event, context.route, "once");
      },
    },
    boom: {
      async execute(event, context) {
        if (Number(event.payload.n) % 3 !== 0) return event;
        world.seen.set(keyOf(event.id, context.route), { state: "dropped", transform: "boom" });
        throw new Error("boom");
      },
    },
  };
}

const deliveries = fc.record({
  max_attempts: fc.integer({ min: 1, max: 3 }),
  circuit_breaker: fc.constantFrom<DeliverySpec["circuit_breaker"]>(false, {
    failure_threshold: 2,
    cooldown: "20ms",
    max_cooldown: "40ms",
  }),
  max_rate: fc.constantFrom(undefined, "200/s"),
  queue_depth: fc.constantFrom(undefined, 3),
});

const filters = fc.constantFrom<Record<string, unknown>>(
  {},
  { "payload.n": 2 },
  { "payload.n": [{ numeric: [">", 2] }] },
  { "payload.k": [{ prefix: "a" }, { "anything-but": ["b", "ab"] }] },
  { $or: [{ "payload.n": 1 }, { "payload.k": ["b"] }] },
  { "payload.none": [{ exists: true }] },
);

const routes = fc
  .array(
    fc.record({
      filter: filters,
      transforms: fc.subarray(["odd", "once", "boom"]),
      onError: fc.constantFrom("drop" as const, "halt" as const),
      delivery: deliveries,
      source: fc.constantFrom("hook", "hook", "hook", "other"),
    }),
    { minLength: 2, maxLength: 5 },
  )
  .map((all) =>
    all.map(({ filter, transforms, onError, delivery, source }, at): RouteSpec => {
      const { max_attempts, max_rate, queue_depth, circuit_breaker } = delivery;
      const plain = route(`r${at}`, source, "agent", {
        overflow: "drop_oldest",
        circuit_breaker,
        ...(max_rate !== undefined && { max_rate }),
        ...(queue_depth !== undefined && { queue_depth }),
      });
      const retry = {
        ...plain.delivery.retry,
        max_attempts,
        initial_delay: "1ms",
        max_delay: "3ms",
      };
      return {
        ...plain,
        when: { ...plain.when, filter },
        transforms: transforms.map((ref) => ({ ref, on_error: onError })),
        delivery: { ...plain.delivery, retry },
      };
    }),
  );

const payloads = fc.array(
  fc.record({
    n: fc.integer({ min: 0, max: 5 }),
    k: fc.constantFrom("a", "ab", "b", "c"),
    fails: fc.constantFrom(0, 0, 1, 2, 9),
    permanent: fc.boolean(),
    key: fc.constantFrom("x", "y"),
  }),
  { minLength: 4, maxLength: 12 },
);

async function json<Answer>(fixture: Fixture, path: string): Promise<Answer> {
  return (await fixture.get(path, { headers })).json() as Promise<Answer>;
}

const lettersOf = (fixture: Fixture) =>
  json<readonly DeadLetterSummary[]>(fixture, "/control/dead-letters");

async function storyOf(fixture: Fixture, id: string) {
  const { ids, traces } = await json<FoundTraces>(fixture, `/control/events/${id}`);
  expect(ids).toEqual([id]);
  if (traces === null) throw new Error("unreachable");
  return { story: eventStory(id, traces), event: traces.event as OrgLoopEvent };
}

async function settled(fixture: Fixture): Promise<void> {
  await expect.poll(() => fixture.status().unacked, { timeout: 20_000, interval: 5 }).toBe(0);
}

/** What the story says of each route, in the words of what was seen. */
function reported({ outcomes }: EventStory): Record<string, unknown> {
  return Object.fromEntries(
    outcomes.map(({ route: on, state, attempts, reason, transform, replay }) => [
      on,
      state === "delivered"
        ? { state, replay, attempts }
        : state === "dead"
          ? { state, reason, attempts }
          : { state, transform },
    ]),
  );
}

test("of every event of a random run, explain tells what really happened on every route", async () => {
  const ends = new Set<unknown>();
  await fc.assert(
    fc.asyncProperty(routes, payloads, async (specs, some) => {
      const world: World = { seen: new Map(), ill: true };
      const parts = {
        sources: { hook: jsonWebhook(), other: jsonWebhook() },
        actors: { agent: scriptedActor(world) },
        transforms: transformsOf(world),
      };
      const fixture = await startFixture(topologyOf(parts, specs, { bus: "file" }), parts);
      const ids: string[] = [];
      for (const payload of some) {
        const answer = await fixture.post("/webhook/hook", payload);
        ids.push(((await answer.json()) as { event_id: string }).event_id);
      }
      await settled(fixture);

      const matcher = compileMatcher(specs);
      /** Attempts that letters have told of, before their replay. */
      const before = new Map<string, number>();
      const compare = async (): Promise<void> => {
        const letters = await lettersOf(fixture);
        for (const { event_id, route: on, attempts } of letters) {
          before.set(keyOf(event_id, String(on)), attempts);
        }
        for (const id of ids) {
          const { story, event } = await storyOf(fixture, id);
          const matched = matcher.match(event).map(({ name }) => name);
          const explained = specs.filter((spec) => explainRoute(spec, event).matched);
          expect(explained.map(({ name }) => name)).toEqual(matched);
          expect(story.state).toBe(matched.length === 0 ? "no route" : "routed");
          const expected = matched.map((on) => {
            const letter = letters.find((one) => one.event_id === id && one.route === on);
            if (letter !== undefined) {
              ends.add(letter.reason);
              return [on, { state: "dead", reason: letter.reason, attempts: letter.attempts }];
            }
            const seen = world.seen.get(keyOf(id, on));
            const { state, replay, attempt = 0 } = seen ?? {};
            ends.add(replay ? "replayed" : state);
            if (state === "delivered") {
              const attempts = attempt + (replay ? (before.get(keyOf(id, on)) ?? 0) : 0);
              return [on, { state, replay, attempts }];
            }
            const halts = seen?.transform === "boom" && haltsOn(specs, on);
            return [on, { state: halts ? "halted" : seen?.state, transform: seen?.transform }];
          });
          expect(reported(story)).toEqual(Object.fromEntries(expected));
          expect(story.isWhole).toBe(true);
        }
      };
      await compare();

      // What was given up succeeds now, and the story goes on.
      world.ill = false;
      await fixture.post("/control/dead-letters/replay", {}, { headers });
      await expect.poll(async () => (await lettersOf(fixture)).length, { timeout: 20_000 }).toBe(0);
      await compare();
      await fixture.drain();
    }),
    { numRuns: 15, endOnFailure: true },
  );
  const all = ["delivered", "dropped", "exhausted", "permanent", "replayed"];
  expect([...ends]).toEqual(expect.arrayContaining(all));
}, 120_000);

const haltsOn = (specs: readonly RouteSpec[], on: string): boolean =>
  specs.some(({ name, transforms }) => name === on && transforms[0]?.on_error === "halt");
