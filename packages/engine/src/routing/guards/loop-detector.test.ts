import type { OrgLoopEvent } from "@orgloop/sdk";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sampleDelivery } from "../../delivery/sample-delivery.ts";
import { followTrace, type LoopDetector, loopDetector, TRACE_WINDOW_MS } from "./loop-guard.ts";

function event(id: string, source: string, trace_id = "trc_1"): OrgLoopEvent {
  return { ...sampleDelivery("r", "k", id, 0).event, source, trace_id };
}

/** Events of one trace, each from a source of its own. */
function verdicts(detector: LoopDetector, count: number, nowMs = 0, from = 0) {
  return Array.from(
    { length: count },
    (_, n) => detector.check(event(`evt_${from + n}`, `s${from + n}`), nowMs).verdict,
  );
}

describe("a trace", () => {
  test("deeper than three is reported, from five on it is broken", () => {
    expect(verdicts(loopDetector(), 7)).toEqual([
      ...["none", "none", "none", "detected"],
      ...["broken", "broken", "broken"],
    ]);
  });

  test("that comes back to a source and type is reported before that", () => {
    const detector = loopDetector();
    const seen = ["a", "b", "a", "c"].map((source, n) =>
      detector.check(event(`evt_${n}`, source), 0),
    );
    expect(seen.map(({ verdict }) => verdict)).toEqual(["none", "none", "detected", "detected"]);
    expect(seen.map(({ depth }) => depth)).toEqual([1, 2, 3, 4]);
  });

  test("begins anew when the window has passed, also where it was broken", () => {
    const detector = loopDetector();
    verdicts(detector, 6, 1_000);
    expect(verdicts(detector, 1, 1_000 + TRACE_WINDOW_MS, 6)).toEqual(["broken"]);
    expect(verdicts(detector, 1, 1_001 + TRACE_WINDOW_MS, 7)).toEqual(["none"]);
  });
});

test("an event that is handed over again has the place it had", () => {
  const detector = loopDetector();
  const first = verdicts(detector, 6);
  expect(verdicts(detector, 6)).toEqual(first);
});

test("ten thousand traces are remembered, the least recent goes first", () => {
  const detector = loopDetector();
  for (let n = 0; n < 10_000; n += 1) detector.check(event(`evt_${n}`, "s", `trc_${n}`), 0);
  detector.check(event("evt_x", "s", "trc_0"), 0);
  detector.check(event("evt_y", "s", "trc_new"), 0);
  expect(detector.size).toBe(10_000);
  expect(detector.check(event("evt_z", "s", "trc_0"), 0).depth).toBe(3);
  expect(detector.check(event("evt_z", "s", "trc_1"), 0).depth).toBe(1);
});

describe("events that say how many deliveries led to them", () => {
  const hopped = (id: string, hops: number): OrgLoopEvent => ({
    ...event(id, "s"),
    provenance: { platform: "test", hops },
  });

  test("are as deep as that: what goes round is broken at the fifth", () => {
    const detector = loopDetector();
    const loop = [event("evt_0", "s"), ...[1, 2, 3, 4, 5].map((n) => hopped(`evt_${n}`, n))];
    const checks = loop.map((one) => detector.check(one, 0));
    expect(checks.map(({ depth }) => depth)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(checks.map(({ verdict }) => verdict)).toEqual([
      ...["none", "detected", "detected", "detected", "broken", "broken"],
    ]);
  });

  test("may be many at one depth: a fan-out is no loop, in this process or from another", () => {
    for (const root of [[event("evt_root", "other")], []]) {
      const detector = loopDetector();
      for (const one of root) detector.check(one, 0);
      const fan = Array.from({ length: 50 }, (_, n) => detector.check(hopped(`evt_${n}`, 1), 0));
      expect(new Set(fan.map(({ verdict }) => verdict))).toEqual(new Set(["none"]));
      expect(fan.at(-1)?.chain.links.length).toBeLessThan(20);
    }
  });

  test("go on from what is remembered: after the window, or a restart, they begin anew", () => {
    const detector = loopDetector();
    detector.check(hopped("evt_1", 7), 0);
    expect(detector.check(hopped("evt_2", 8), 0).depth).toBe(2);
    expect(detector.check(hopped("evt_3", 9), 1 + TRACE_WINDOW_MS).depth).toBe(1);
    expect(detector.check(hopped("evt_4", 5), 1 + TRACE_WINDOW_MS).depth).toBe(1);
  });

  test("say so with sense, or are counted", () => {
    const detector = loopDetector();
    const nonsense = [0, -1, 1.5, Number.NaN, 2 ** 60];
    const depths = nonsense.map((hops, n) => detector.check(hopped(`evt_${n}`, hops), 0).depth);
    expect(depths).toEqual([1, 2, 3, 4, 5]);
  });
});

test("events under traces of their own are never held against each other, however many", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ source: fc.constantFrom("a", "b"), atMs: fc.nat(1_000) })),
      (events) => {
        const detector = loopDetector({ maxTraces: 10 });
        const found = events.map(({ source, atMs }, n) =>
          detector.check(event(`evt_${n}`, source, `trc_${n}`), atMs),
        );
        expect(found.every(({ verdict, depth }) => verdict === "none" && depth === 1)).toBe(true);
        expect(detector.size).toBeLessThanOrEqual(10);
      },
    ),
  );
});

test("of one trace within the window four events at most are let through, and each decides the same when it comes again", () => {
  const steps = fc.array(fc.record({ id: fc.nat(9), source: fc.constantFrom("a", "b", "c") }));
  fc.assert(
    fc.property(steps, (events) => {
      let chain = followTrace(undefined, event("evt_first", "a"), 0).chain;
      const passed = new Set(["evt_first"]);
      const decided = new Map<string, string>();
      for (const { id, source } of events) {
        const check = followTrace(chain, event(`evt_${id}`, source), 1);
        chain = check.chain;
        const first = decided.get(`evt_${id}`);
        if (first !== undefined) expect(check.verdict === "broken").toBe(first === "broken");
        else decided.set(`evt_${id}`, check.verdict);
        if (check.verdict !== "broken") passed.add(`evt_${id}`);
      }
      expect(passed.size).toBeLessThanOrEqual(4);
      expect(chain.links.length).toBeLessThanOrEqual(5);
    }),
  );
});
