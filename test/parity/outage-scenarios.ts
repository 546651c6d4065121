import { RetryAfterError } from "@orgloop/sdk";
import { atMost, breaker, ill, MINUTE, NO_LETTERS, retry } from "./policy-scenarios.ts";
import { type Call, event, route, type Scenario } from "./scenario.ts";

/** What an actor's outage costs, and how its rate and its breaker go together. */
export const OUTAGE: readonly Scenario[] = [
  {
    name: "attempts: what was in flight when the breaker opened does not count, nor a probe",
    routes: [route("a", { ...breaker(1), order: "none", concurrency: 8, retry: retry(1) })],
    act: together(3, 30_000, ill(5 * MINUTE)),
    steps: [{ atMs: 0, emit: [event("e1", "x"), event("e2", "y"), event("e3", "z")] }],
    by: "ends",
    expect: { lanes: { "a e1": "e1", "a e2": "e2", "a e3": "e3" }, letters: NO_LETTERS },
  },
  {
    name: "attempts: the event that opens the breaker is not given up by opening it",
    routes: [route("a", { ...breaker(3), retry: retry(3) })],
    act: ill(20 * MINUTE),
    steps: [{ atMs: 0, emit: [event("e1"), event("e2")] }],
    by: "ends",
    expect: { lanes: { "a k": "e1 e2" }, letters: NO_LETTERS },
  },
  {
    name: "attempts: Retry-After is waited for as asked, over max_delay, and counts no attempt",
    routes: [route("a", { circuit_breaker: false, retry: { ...retry(1), max_delay: "10s" } })],
    act: ({ event: id, atMs }) => {
      if (id !== "e1") return;
      const due = [0, 2 * MINUTE, 4 * MINUTE, 6 * MINUTE];
      const isEarly = !due.some((one) => Math.abs(atMs - one) < 2_000);
      if (isEarly) throw Object.assign(new Error("not as asked"), { code: "PERMANENT" });
      if (atMs < 6 * MINUTE - 2_000) throw new RetryAfterError("busy", 2 * MINUTE);
    },
    steps: [{ atMs: 0, emit: [event("e1"), event("e2")] }],
    expect: { lanes: { "a k": "e1! e1! e1! e1 e2" }, letters: NO_LETTERS },
  },
  {
    name: "attempts: Retry-After is waited for no longer than max_retry_after",
    routes: [route("a", { circuit_breaker: false, retry: { ...retry(1), max_retry_after: "2m" } })],
    act: ({ atMs }) => {
      if (atMs < 4 * MINUTE - 2_000) throw new RetryAfterError("busy", 7 * 86_400_000);
    },
    steps: [{ atMs: 0, emit: [event("e1")] }],
    expect: { lanes: { "a k": "e1! e1! e1" }, letters: NO_LETTERS },
  },
  {
    name: "rate and breaker: send times that were reserved when it opened are given back",
    routes: [route("a", { ...breaker(1), max_rate: "1/m", burst: 1, retry: retry(2) })],
    act: ({ atMs }) => {
      if (atMs < 30_000) throw new Error("ill");
      const isLate = atMs > 7 * MINUTE;
      if (isLate) throw Object.assign(new Error("late"), { code: "PERMANENT" });
    },
    steps: [{ atMs: 0, emit: [1, 2, 3, 4, 5].map((n) => event(`e${n}`, `k${n}`)) }],
    by: "ends",
    expect: {
      lanes: Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`a k${n}`, `e${n}`])),
      letters: NO_LETTERS,
    },
  },
  {
    name: "rate and breaker: after an hour's hold the rate is what it was, no burst and no gap",
    routes: [
      route("a", { ...breaker(1), max_rate: "2/m", burst: 1, concurrency: 8, retry: retry(2) }),
    ],
    act: within(ill(60 * MINUTE), atMost(2 + 1 + 1, MINUTE)),
    steps: [{ atMs: 0, emit: Array.from({ length: 12 }, (_, n) => event(`e${n}`, `k${n % 4}`)) }],
    by: "ends",
    expect: {
      lanes: Object.fromEntries(
        [0, 1, 2, 3].map((k) => [`a k${k}`, [0, 4, 8].map((n) => `e${n + k}`).join(" ")]),
      ),
      letters: NO_LETTERS,
    },
  },
];

/** Before `untilMs` calls end when `count` of them are in flight. */
function together(
  count: number,
  untilMs: number,
  then: (call: Call) => void,
): NonNullable<Scenario["act"]> {
  let waiting: (() => void)[] = [];
  return async (call) => {
    if (call.atMs < untilMs) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length < count) return;
        for (const end of waiting) end();
        waiting = [];
      });
    }
    then(call);
  };
}

/** Both are asked, the first of them first. */
function within(
  first: (call: Call) => void,
  second: NonNullable<Scenario["act"]>,
): NonNullable<Scenario["act"]> {
  return (call) => {
    first(call);
    return second(call);
  };
}
