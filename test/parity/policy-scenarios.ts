import { SAMPLE_DELIVERY } from "@orgloop/testkit";
import { type Call, event, route, type Scenario } from "./scenario.ts";

export const NO_LETTERS: readonly string[] = [];
export const MINUTE = 60_000;
export const breaker = (failure_threshold: number) => ({
  circuit_breaker: { failure_threshold, cooldown: "1m", max_cooldown: "10m" },
});
export const retry = (max_attempts: number, initial_delay = "5s") => ({
  ...SAMPLE_DELIVERY.retry,
  max_attempts,
  initial_delay,
});
export const ill = (untilMs: number) => (call: Call) => {
  if (call.atMs < untilMs) throw new Error("ill");
};

/** What a route's policy does over time. */
export const POLICY: readonly Scenario[] = [
  {
    name: "breaker: opens, probes once a cooldown, closes, and has lost nothing",
    routes: [route("a", { ...breaker(2), retry: retry(3) })],
    act: ill(5 * MINUTE),
    steps: [{ atMs: 0, emit: [event("e1"), event("e2"), event("e3")] }],
    // Two attempts open it; probes at 1, 3 and 7 minutes: the cooldown doubles.
    expect: { lanes: { "a k": "e1! e1! e1! e1! e1 e2 e3" }, letters: NO_LETTERS },
  },
  {
    name: "breaker: of two keys one is the probe, and both go when it closes",
    routes: [route("a", { ...breaker(1), retry: retry(2) })],
    act: ({ event: id, atMs }) => {
      if (id === "e1" && atMs < MINUTE) throw new Error("ill");
    },
    steps: [
      { atMs: 0, emit: [event("e1", "x")] },
      { atMs: 5_000, emit: [event("e2", "y"), event("e3", "x")] },
    ],
    by: "ends",
    expect: { lanes: { "a x": "e1 e3", "a y": "e2" }, letters: NO_LETTERS },
  },
  {
    name: "breaker: one ill route holds nobody else's deliveries to the same actor",
    routes: [route("a", { ...breaker(1), retry: retry(2) }), route("b", breaker(1))],
    act: ({ route: name, atMs }) => {
      if (name === "a" && atMs < 2 * MINUTE) throw new Error("ill");
    },
    steps: [{ atMs: 0, emit: [event("e1"), event("e2")] }],
    expect: { lanes: { "a k": "e1! e1! e1 e2", "b k": "e1 e2" }, letters: NO_LETTERS },
  },
  {
    name: "breaker: a permanent refusal does not count towards it",
    routes: [route("a", { ...breaker(1), retry: retry(1) })],
    act: ({ event: id }) => {
      if (id !== "e3") throw Object.assign(new Error("never"), { code: "PERMANENT" });
    },
    steps: [{ atMs: 0, emit: [event("e1"), event("e2"), event("e3")] }],
    expect: {
      lanes: { "a k": "e1! e2! e3" },
      letters: ["e1 a permanent 1", "e2 a permanent 1"],
    },
  },
  {
    name: "rate: spread, in order, nothing lost",
    routes: [route("a", { max_rate: "2/m", burst: 1 })],
    steps: [{ atMs: 0, emit: [1, 2, 3, 4, 5].map((n) => event(`e${n}`)) }],
    expect: { lanes: { "a k": "e1 e2 e3 e4 e5" }, letters: NO_LETTERS },
  },
  {
    name: "rate: never more in a window than it allows, over all keys",
    routes: [route("a", { max_rate: "6/m", burst: 2, concurrency: 8 })],
    act: atMost(6 + 2 + 1, MINUTE),
    steps: [{ atMs: 0, emit: Array.from({ length: 24 }, (_, n) => event(`e${n}`, `k${n % 4}`)) }],
    by: "ends",
    expect: {
      lanes: Object.fromEntries(
        [0, 1, 2, 3].map((k) => [
          `a k${k}`,
          [0, 4, 8, 12, 16, 20].map((n) => `e${n + k}`).join(" "),
        ]),
      ),
      letters: NO_LETTERS,
    },
  },
  {
    name: "rate and retry: each attempt takes a place",
    routes: [route("a", { max_rate: "1/m", burst: 1, retry: retry(3, "1s") })],
    act: ({ event: id, attempt, atMs }) => {
      if (id === "e1" && attempt < 3) throw new Error("ill");
      if (id === "e2" && atMs < 3 * MINUTE - 2) throw new Error("too early");
    },
    steps: [{ atMs: 0, emit: [event("e1"), event("e2")] }],
    expect: { lanes: { "a k": "e1! e1! e1 e2" }, letters: NO_LETTERS },
  },
  {
    name: "overflow drop_oldest: what waits beyond the bound is given up, the oldest first, all of it told",
    routes: [route("a", { ...breaker(1), order: "route", retry: retry(2) })],
    queueDepth: 3,
    act: ill(30 * MINUTE),
    steps: [
      { atMs: 0, emit: [event("e00")] },
      { atMs: 10_000, emit: Array.from({ length: 24 }, (_, n) => event(`e${pad(n + 1)}`)) },
    ],
    by: "bound",
    expect: {
      lanes: { a: Array.from({ length: 25 }, (_, n) => `e${pad(n)}`).join(" ") },
      letters: ["backpressure"],
    },
  },
  {
    name: "overflow drop_newest: what finds no room is given up",
    only: "process",
    routes: [route("a", { ...breaker(1), order: "route", overflow: "drop_newest" })],
    queueDepth: 2,
    act: ill(MINUTE),
    steps: [
      { atMs: 0, emit: [event("e1")] },
      { atMs: 10_000, emit: [event("e2"), event("e3"), event("e4")] },
    ],
    by: "ends",
    expect: { lanes: { a: "e1 e2" }, letters: ["e3 a backpressure", "e4 a backpressure"] },
  },
  {
    name: "overflow block: what finds no room waits on the bus",
    only: "process",
    routes: [route("a", { ...breaker(1), order: "route", overflow: "block" })],
    queueDepth: 2,
    act: ill(MINUTE),
    steps: [
      { atMs: 0, emit: [event("e1")] },
      { atMs: 10_000, emit: [event("e2"), event("e3"), event("e4")] },
    ],
    by: "ends",
    expect: { lanes: { a: "e1 e2 e3 e4" }, letters: NO_LETTERS },
  },
  {
    name: "expired: older than max_age is not attempted",
    routes: [route("a", { max_age: "1m", ...breaker(1), retry: retry(5) })],
    act: ill(10 * MINUTE),
    steps: [
      { atMs: 0, emit: [event("e1"), event("e2")] },
      { atMs: 30 * MINUTE, emit: [event("e3")] },
    ],
    by: "ends",
    expect: { lanes: { "a k": "e3" }, letters: ["e1 a expired", "e2 a expired"] },
  },
  {
    name: "order key: lanes by ordering key",
    routes: [route("a", { order: "key" })],
    act: ({ event: id, attempt }) => {
      if (id === "e1" && attempt === 1) throw new Error("once");
    },
    steps: [{ atMs: 0, emit: [event("e1", "x"), event("e2", "y"), event("e3", "x")] }],
    expect: { lanes: { "a x": "e1! e1 e3", "a y": "e2" }, letters: NO_LETTERS },
  },
  {
    name: "order key by a path of the route",
    // With a concurrency of 1 keys wait for each other on SQS: that is one message group.
    routes: [route("a", { order: "key", key: "payload.pr", concurrency: 8 })],
    act: ({ event: id, attempt }) => {
      if (id === "e1" && attempt === 1) throw new Error("once");
    },
    steps: [
      {
        atMs: 0,
        emit: [
          event("e1", "k", { pr: 7 }),
          event("e2", "k", { pr: 8 }),
          event("e3", "k", { pr: 7 }),
        ],
      },
    ],
    expect: { lanes: { "a k": "e1! e2 e1 e3" }, letters: NO_LETTERS },
  },
  {
    name: "order route: one lane whatever the keys",
    routes: [route("a", { order: "route" })],
    act: ({ event: id, attempt }) => {
      if (id === "e1" && attempt === 1) throw new Error("once");
    },
    steps: [{ atMs: 0, emit: [event("e1", "x"), event("e2", "y"), event("e3", "x")] }],
    expect: { lanes: { a: "e1! e1 e2 e3" }, letters: NO_LETTERS },
  },
  {
    name: "order none: nothing waits for another's retry",
    routes: [route("a", { order: "none", concurrency: 4 })],
    act: ({ event: id, attempt }) => {
      if (id === "e1" && attempt < 3) throw new Error("ill");
    },
    steps: [{ atMs: 0, emit: [event("e1"), event("e2"), event("e3")] }],
    expect: { lanes: { "a e1": "e1! e1! e1", "a e2": "e2", "a e3": "e3" }, letters: NO_LETTERS },
  },
  {
    name: "restart while a retry waits",
    routes: [route("a", { retry: retry(4, "2m") })],
    act: ill(MINUTE),
    steps: [
      { atMs: 0, emit: [event("e1"), event("e2")] },
      { atMs: MINUTE, restart: true },
    ],
    by: "ends",
    expect: { lanes: { "a k": "e1 e2" }, letters: NO_LETTERS },
  },
  {
    name: "restart while the breaker is open: it holds on",
    routes: [route("a", { ...breaker(1), retry: retry(3) })],
    act: ({ atMs }) => {
      if (atMs < 30_000) throw new Error("ill");
      if (atMs < MINUTE) throw Object.assign(new Error("not held"), { code: "PERMANENT" });
    },
    steps: [
      { atMs: 0, emit: [event("e1"), event("e2")] },
      { atMs: 40_000, restart: true },
    ],
    by: "ends",
    expect: { lanes: { "a k": "e1 e2" }, letters: NO_LETTERS },
  },
  {
    name: "restart while the rate makes it wait: no more than the rate after it",
    routes: [route("a", { max_rate: "1/m", burst: 1 })],
    act: ({ event: id, atMs }) => {
      const least = { e1: 0, e2: MINUTE, e3: 2 * MINUTE }[id] ?? 0;
      if (atMs < least - 5) throw Object.assign(new Error("too early"), { code: "PERMANENT" });
    },
    steps: [
      { atMs: 0, emit: [event("e1"), event("e2"), event("e3")] },
      { atMs: 30_000, restart: true },
    ],
    by: "ends",
    expect: { lanes: { "a k": "e1 e2 e3" }, letters: NO_LETTERS },
  },
  {
    name: "restart in mid-attempt: it is attempted again",
    routes: [route("a")],
    act: ({ atMs }) => (atMs < 10_000 ? new Promise(() => {}) : undefined),
    steps: [
      { atMs: 0, emit: [event("e1"), event("e2")] },
      { atMs: 10_000, restart: true },
    ],
    by: "ends",
    expect: { lanes: { "a k": "e1 e2" }, letters: NO_LETTERS },
  },
  {
    name: "restart while the breaker is probed: another probe is sent, and it closes",
    routes: [route("a", { ...breaker(1), retry: retry(3) })],
    act: ({ atMs }) => {
      if (atMs < 30_000) throw new Error("ill");
      if (atMs < 70_000) return new Promise(() => {});
      return undefined;
    },
    steps: [
      { atMs: 0, emit: [event("e1"), event("e2")] },
      { atMs: 70_000, restart: true },
    ],
    by: "ends",
    expect: { lanes: { "a k": "e1 e2" }, letters: NO_LETTERS },
  },
  {
    name: "restart after a dead letter: it stays one",
    routes: [route("a", { retry: retry(1) })],
    act: ({ event: id }) => {
      if (id === "e1") throw new Error("ill");
    },
    steps: [
      { atMs: 0, emit: [event("e1")] },
      { atMs: 10_000, restart: true },
      { atMs: 20_000, emit: [event("e2")] },
    ],
    expect: { lanes: { "a k": "e1! e2" }, letters: ["e1 a exhausted 1"] },
  },
];

function pad(n: number): string {
  return String(n).padStart(2, "0");
}

/** Fails for good what comes too early: more than `count` in a window. */
export function atMost(count: number, windowMs: number): NonNullable<Scenario["act"]> {
  let times: readonly number[] = [];
  return ({ atMs }) => {
    times = [...times.filter((one) => one > atMs - windowMs && one <= atMs), atMs];
    if (times.length <= count) return;
    throw Object.assign(new Error("too many"), { code: "PERMANENT" });
  };
}
