import {
  compileMatcher,
  type EventPorts,
  handleEvent,
  type Router,
  type RouteTransform,
} from "@orgloop/engine";
import { OrgLoopError, type OrgLoopEvent, type Transform } from "@orgloop/sdk";
import { fakeClock, SAMPLE_DEFAULTS } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { batchFixture, eventOf, routeOf } from "../delivery/batch-fixture.ts";
import type { AttemptStore } from "../state/attempts.ts";
import { memoryState } from "../state/memory-state-fixture.ts";
import { deathsOf, runLanes } from "./route-message.ts";
import { routeTopology } from "./route-topology.ts";

/** A router with a route for each of these transforms, which may take their time. */
function routerOf(transforms: Readonly<Record<string, RouteTransform["execute"]>>): Router {
  const routes = Object.keys(transforms).map((name) => ({ ...routeOf(), name }));
  return {
    matcher: compileMatcher(routes),
    sources: new Map(),
    transformsOf: ({ name }) => {
      const execute = transforms[name] as RouteTransform["execute"];
      return [{ name, onError: "pass", inline: false, execute }];
    },
    promptOf: () => undefined,
    now: () => 0,
    log: () => {},
  };
}

/** What becomes of an event on each of its routes, as `routeMessage` puts the parts together. */
async function toEnd(
  event: OrgLoopEvent,
  router: Router,
  {
    returned,
    attempts,
  }: Pick<EventPorts, "returned"> & {
    readonly attempts: Pick<AttemptStore, "start" | "forget">;
  },
) {
  const deaths = deathsOf(attempts);
  const handled = await handleEvent(event, {
    router,
    tooOld: null,
    returned,
    settled: new Set(),
    wasGivenUp: async () => false,
    followTrace: () => ({ verdict: "none", depth: 1, chain: { links: [], lastMs: 0 } }),
    deaths,
    writeDeadLetter: async () => {},
    log: () => {},
    abandon: new AbortController().signal,
    wall: () => 0,
  });
  if (handled.kind !== "routed") throw new Error(handled.kind);
  return runLanes(event, handled.routes, returned ? deaths : null);
}

test("an event's routes go side by side", async () => {
  const { attempts } = memoryState(fakeClock());
  const gate = Promise.withResolvers<void>();
  const router = routerOf({
    waits: async (event) => {
      await gate.promise;
      return event;
    },
    opens: async (event) => {
      gate.resolve();
      return event;
    },
  });
  const ended = await toEnd(eventOf("1"), router, { returned: false, attempts });
  expect(ended.map(({ kind }) => kind)).toEqual(["delivery", "delivery"]);
});

test("of an event that the function dies of, the route that kills is given up, and the others deliver", async () => {
  const { attempts } = memoryState(fakeClock());

  /** Null: the function has died, and what it would have written at the end it has not. */
  async function receive(returned: boolean): Promise<readonly string[] | null> {
    const death = Promise.withResolvers<null>();
    let isDead = false;
    const router = routerOf({
      kills() {
        isDead = true;
        death.resolve(null);
        return new Promise(() => {});
      },
      good: async (event) => event,
    });
    const mortal = {
      start: attempts.start,
      forget: async (key: string) => {
        if (!isDead) await attempts.forget(key);
      },
    };
    const ended = toEnd(eventOf("1"), router, { returned, attempts: mortal });
    const kinds = ended.then((routes) =>
      routes.map((one) => (one.kind === "fault" ? `${one.reason}` : one.kind)),
    );
    return Promise.race([kinds, death.promise]);
  }

  const outcomes = [await receive(false)];
  while (outcomes.at(-1) === null && outcomes.length < 10) outcomes.push(await receive(true));
  expect(outcomes.at(-1)).toEqual(["poison", "delivery"]);
  expect(outcomes.length).toBeLessThan(8);
});

test("a transform that cannot be opened is a fault of the routes that use it; what may pass is not", async () => {
  const { secrets, flow, clock } = batchFixture().routing([]) as never as Parameters<
    typeof routeTopology
  >[0];
  const spec = { type: "package", package: "p", config: {}, on_error: "pass" } as const;
  const using = { ...routeOf(), name: "using", transforms: [{ ref: "broken" }] };
  async function routed(openTransform: () => Promise<Transform>) {
    const { routerFor } = await routeTopology({
      topology: {
        project: "acme",
        workspace: "test",
        bus: { url: "sqs" },
        defaults: SAMPLE_DEFAULTS,
        sources: [],
        actors: [],
        routes: [using, { ...routeOf(), name: "plain" }],
        transforms: [{ ...spec, name: "broken", timeout_ms: 30_000 }],
        loggers: [],
      },
      openTransform,
      secrets,
      clock,
      flow,
    });
    const router = await routerFor(new AbortController().signal);
    const { attempts } = memoryState(fakeClock());
    return toEnd(eventOf("1"), router, { returned: false, attempts });
  }
  const missing = new OrgLoopError("MISSING_SECRETS", "TOKEN not set");
  expect(await routed(() => Promise.reject(missing))).toMatchObject([
    { kind: "fault", delivery: { route: "using" }, error: expect.stringMatching("TOKEN not set") },
    { kind: "delivery", delivery: { route: "plain" } },
  ]);
  const throttled = new Error("ThrottlingException");
  await expect(routed(() => Promise.reject(throttled))).rejects.toBe(throttled);
});
