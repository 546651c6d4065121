import { setTimeout as sleep } from "node:timers/promises";
import type { OnError, OrgLoopEvent, RouteSpec, Transform } from "@orgloop/sdk";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  eventually,
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  TOKEN,
  topologyOf,
} from "../process/process-fixture.ts";

const numberOf = (event: OrgLoopEvent): number => event.payload.n as number;

/** Transforms by name; what each does to an event depends on its number alone. */
const TRANSFORMS: Readonly<Record<string, Transform>> = {
  quick: { inline: true, execute: async (event) => event },
  slow: {
    async execute(event) {
      await sleep(numberOf(event) % 4);
      return event;
    },
  },
  drops: { execute: async (event) => (numberOf(event) % 3 === 0 ? null : event) },
  dropsAtOnce: {
    inline: true,
    execute: async (event) => (numberOf(event) % 4 === 0 ? null : event),
  },
  fails: {
    async execute(event) {
      await sleep(numberOf(event) % 3);
      if (numberOf(event) % 5 === 0) throw new Error("broken");
      return event;
    },
  },
  nonsense: { execute: async (event) => (numberOf(event) % 7 === 0 ? ({} as never) : event) },
};

type Fate = "delivered" | "dropped" | "invalid";

interface Plan {
  readonly uses: readonly { readonly ref: string; readonly on_error: OnError }[];
  readonly order: "key" | "route" | "none";
  readonly faulty: boolean;
  /** Null: everything has room. */
  readonly depth: number | null;
}

function fateOf({ uses, faulty }: Plan, n: number): Fate {
  if (faulty) return "invalid";
  const dropped = uses.some(
    ({ ref, on_error }) =>
      (ref === "drops" && n % 3 === 0) ||
      (ref === "dropsAtOnce" && n % 4 === 0) ||
      (ref === "fails" && n % 5 === 0 && on_error !== "pass") ||
      (ref === "nonsense" && n % 7 === 0 && on_error !== "pass"),
  );
  return dropped ? "dropped" : "delivered";
}

function routeOf(name: string, { uses, order, faulty, depth }: Plan): RouteSpec {
  const delivery = {
    order,
    overflow: depth === null ? ("block" as const) : ("drop_oldest" as const),
    ...(faulty && { key: "payload.constructor" }),
    ...(depth !== null && { queue_depth: depth }),
  };
  return { ...route(name, "hook", name, delivery), transforms: uses };
}

const plan: fc.Arbitrary<Plan> = fc.record({
  uses: fc.array(
    fc.record({
      ref: fc.constantFrom(...Object.keys(TRANSFORMS)),
      on_error: fc.constantFrom<OnError>("pass", "drop", "halt"),
    }),
    { maxLength: 3 },
  ),
  order: fc.constantFrom("key", "route", "none"),
  faulty: fc.boolean().map((faulty) => faulty),
  depth: fc.option(fc.integer({ min: 1, max: 5 })),
});

async function run(plans: readonly Plan[], keys: readonly string[]): Promise<void> {
  const names = plans.map((_, at) => `r${at}`);
  const actors = Object.fromEntries(names.map((name) => [name, recordingActor()]));
  const parts = { sources: { hook: jsonWebhook() }, actors, transforms: TRANSFORMS };
  const routes = plans.map((one, at) => routeOf(names[at] as string, one));
  const process = await startFixture(topologyOf(parts, routes), parts);
  const drafts = keys.map((ordering_key, n) => ({
    source: "hook",
    provenance: { platform: "test" },
    payload: { n },
    ordering_key,
  }));
  await process.inject(drafts);
  await eventually(() => expect(process.status().unacked).toBe(0));
  const answer = await process.get("/control/dead-letters", {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const emitted = process.entries.filter(({ phase }) => phase === "source.emit");
  const letters = (await answer.json()) as {
    readonly event_id: string;
    readonly route: string;
    readonly reason: string;
  }[];
  await process.drain();

  for (const [at, one] of plans.entries()) {
    const name = names[at] as string;
    const got = actors[name]?.got ?? [];
    for (const [n] of keys.entries()) {
      const delivered = got.filter((event) => numberOf(event) === n).length;
      const reasons = letters
        .filter((letter) => letter.route === name && letter.event_id === emitted[n]?.event_id)
        .map(({ reason }) => reason);
      const fate = fateOf(one, n);
      const displaced = reasons.join() === "backpressure";
      if (fate === "invalid") expect([delivered, reasons]).toEqual([0, ["invalid"]]);
      else if (displaced) expect([delivered, one.depth === null]).toEqual([0, false]);
      else expect([delivered, reasons]).toEqual([fate === "delivered" ? 1 : 0, []]);
    }
    if (one.order === "none") continue;
    for (const key of one.order === "route" ? [null] : new Set(keys)) {
      const ofLane = got.filter(({ ordering_key }) => key === null || ordering_key === key);
      const numbers = ofLane.map(numberOf);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  }
}

test("however slow or broken its transforms, an event ends once on each of its routes, in the order of its lane", async () => {
  const keys = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 30 });
  const plans = fc.array(plan, { minLength: 1, maxLength: 4 });
  await fc.assert(fc.asyncProperty(plans, keys, run), { numRuns: 25 });
}, 60_000);
