import type { DeadLetter, OrgLoopEvent } from "@orgloop/sdk";
import { testEvent } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { publicationOfReplay } from "../intake/publication.ts";
import { MAX_DEATHS } from "../ports/deaths.ts";
import { type EventPorts, handleEvent } from "./handle-event.ts";
import type { Router } from "./route-event.ts";

const event = testEvent({ id: "evt_1", payload: {}, trace_id: "trc_1" });

const router: Router = {
  matcher: { match: () => [] },
  sources: new Map(),
  transformsOf: () => [],
  promptOf: () => undefined,
  now: () => 0,
  log: () => {},
};

/** Handles an event with ports that say in which order they were asked. */
async function handled(given: Partial<EventPorts> = {}, published: OrgLoopEvent = event) {
  const asked: string[] = [];
  const letters: DeadLetter[] = [];
  const loop = { verdict: "none", depth: 1, chain: { links: [], lastMs: 0 } } as const;
  const ports: EventPorts = {
    router: {
      ...router,
      matcher: {
        match() {
          asked.push("match");
          return [];
        },
      },
    },
    claim: async (named) => {
      asked.push("claim");
      return { event: named };
    },
    tooOld: null,
    returned: true,
    settled: new Set(),
    async wasGivenUp() {
      asked.push("given up?");
      return false;
    },
    followTrace() {
      asked.push("loop?");
      return loop;
    },
    deaths: {
      host: "process",
      async begin() {
        asked.push("begin");
        return 0;
      },
      end: async () => void asked.push("end"),
    },
    writeDeadLetter: async (letter) => void letters.push(letter),
    log: () => {},
    abandon: new AbortController().signal,
    wall: () => 0,
    ...given,
  };
  const result = await handleEvent(published, ports).catch((error: unknown) => error);
  return { result, asked, letters };
}

test("the guards are asked in their order, before the event is routed", async () => {
  const { asked } = await handled();
  expect(asked).toEqual(["claim", "given up?", "loop?", "begin", "match", "end"]);
  const first = await handled({ returned: false });
  expect(first.asked).toEqual(["claim", "loop?", "match"]);
});

test("a replay is what somebody asks for: neither a repeat nor a loop", async () => {
  const { asked } = await handled({ returned: false }, publicationOfReplay(event, 1, {}));
  expect(asked).toEqual(["match"]);
});

test.each<[string, Partial<EventPorts>]>([
  ["a repeat", { claim: async () => null }],
  ["one that was given up as a whole before", { wasGivenUp: async () => true }],
])("%s is known: nothing is routed, no letter is written", async (_, given) => {
  const { result, asked, letters } = await handled(given);
  expect(result).toEqual({ kind: "known" });
  expect([asked.includes("match"), letters]).toEqual([false, []]);
});

const broken = { verdict: "broken", depth: 5, chain: { links: [], lastMs: 0 } } as const;
const faulty: Router = {
  ...router,
  matcher: {
    match() {
      throw new Error("broken");
    },
  },
};

test.each<[string, Partial<EventPorts>, Partial<DeadLetter>]>([
  ["too old", { tooOld: "it waited" }, { reason: "expired", last_error: "it waited" }],
  ["a loop", { followTrace: () => broken }, { reason: "poison" }],
  [
    "what cannot be routed",
    { router: faulty, returned: false },
    { reason: "poison", last_error: "routing failed: broken" },
  ],
  [
    "what cannot be routed, again",
    { router: faulty },
    { reason: "poison", last_error: "routing failed: broken" },
  ],
  [
    "what kills the host",
    { deaths: { host: "function", begin: async () => MAX_DEATHS, end: async () => {} } },
    { last_error: `routing failed: the function ended ${MAX_DEATHS} times meanwhile` },
  ],
])("%s is one letter for the event", async (_, given, letter) => {
  const { result, letters } = await handled(given);
  expect(result).toMatchObject({ kind: "given up", event: { id: "evt_1" }, dropped: [] });
  expect(letters).toMatchObject([{ event_id: "evt_1", route: null, ...letter }]);
});

test("what is cut short, and what a store refuses, comes again", async () => {
  const abandon = AbortSignal.abort();
  const cut = await handled({ router: faulty, abandon });
  expect(cut.result).toMatchObject({ code: "DRAINING" });
  const down = new Error("down");
  const deaths = { host: "function", begin: () => Promise.reject(down), end: async () => {} };
  const refused = await handled({ deaths });
  expect(refused.result).toBe(down);
  expect([cut.letters, refused.letters]).toEqual([[], []]);
});
