import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Admission,
  admitDelivery,
  HEALTHY,
  probeTimeoutMs,
  type ReservedTime,
  withBreaker,
} from "./admit-delivery.ts";
import { CLOSED } from "./breaker.ts";
import { samplePolicy } from "./sample-policy.ts";

const BREAKER = { failureThreshold: 1, cooldownMs: 60_000, maxCooldownMs: 60_000 };
const plain = samplePolicy({ rate: null, breaker: BREAKER, timeoutMs: 1_000 });
const rated = { ...plain, rate: { count: 1, perMs: 10_000, burst: 1 } };
const open = {
  breaker: { ...CLOSED, openUntilMs: 5_000, cooldownMs: 60_000 },
  rateMs: null,
};

describe("admitting a delivery", () => {
  test("a healthy route without a rate lets it through and changes nothing", () => {
    const admission = admitDelivery(HEALTHY, plain, null, 0);
    expect(admission).toEqual({ kind: "attempt", probe: false, state: HEALTHY });
    expect(admission.state).toBe(HEALTHY);
  });

  test("an open breaker holds until its time and gives a reserved time up", () => {
    const held = admitDelivery(open, rated, { atMs: 4_000, openings: 0 }, 4_500);
    expect(held).toMatchObject({ kind: "hold", by: "breaker", untilMs: 5_000, reserved: null });
    expect(held.state).toBe(open);
  });

  test("one probe is elected; the next waits for it", () => {
    const first = admitDelivery(open, plain, null, 5_000);
    expect(first).toMatchObject({ kind: "attempt", probe: true });
    const untilMs = 5_000 + probeTimeoutMs(plain.timeoutMs);
    expect(admitDelivery(first.state, plain, null, 5_001)).toMatchObject({ kind: "hold", untilMs });
  });

  test("rate and breaker are committed together: while the breaker is not closed no send time is taken", () => {
    const used = { ...open, rateMs: 60_000 };
    const held = admitDelivery(used, rated, null, 4_500);
    expect(held).toMatchObject({ kind: "hold", by: "breaker", reserved: null, state: used });
    const due = admitDelivery(used, rated, null, 5_000);
    expect(due).toMatchObject({ kind: "hold", by: "rate", untilMs: 60_000, reserved: null });
    expect(due.state).toBe(used);
    const probe = admitDelivery({ ...used, rateMs: null }, rated, null, 5_000);
    expect(probe).toMatchObject({ kind: "attempt", probe: true });
    expect(probe.state.rateMs).toBe(14_998);
  });

  test("the send times that were reserved when the breaker opens are given back, and void", () => {
    let state = HEALTHY;
    const admitted = [1, 2, 3, 4].map(() => {
      const admission = admitDelivery(state, rated, null, 0);
      ({ state } = admission);
      return admission;
    });
    expect(state.rateMs).toBe(40_000);
    const opened = { ...CLOSED, openings: 1, openUntilMs: 15_000, cooldownMs: 60_000 };
    state = withBreaker(state, opened, rated, 5_000);
    expect(state.rateMs).toBe(15_000);
    const last = admitted.at(-1) as Extract<Admission, { kind: "hold" }>;
    state = withBreaker(state, { ...CLOSED, openings: 1 }, rated, 16_000);
    const again = admitDelivery(state, rated, last.reserved, 29_999);
    expect(again).toMatchObject({ kind: "attempt", state: { rateMs: 39_997 } });
  });

  test("what a clock that ran ahead has written holds no longer than its policy allows", () => {
    const day = 86_400_000;
    const ahead = { ...open.breaker, openUntilMs: day, probeUntilMs: day, cooldownMs: day };
    const longestMs = 3_600_000;
    const held = admitDelivery({ breaker: ahead, rateMs: null }, plain, null, 0);
    expect(held).toMatchObject({ untilMs: longestMs });
    const asked = { ...ahead, cooldownMs: 30_000, askedMs: 120_000 };
    expect(admitDelivery({ breaker: asked, rateMs: null }, plain, null, 0)).toMatchObject({
      untilMs: 120_000,
    });
    expect(held.state.breaker.cooldownMs).toBe(longestMs);
    expect(held.state.breaker.probeUntilMs).toBe(probeTimeoutMs(plain.timeoutMs));
    const one = { ...rated, queueDepth: 1 };
    const limited = admitDelivery({ breaker: CLOSED, rateMs: day }, one, null, 0);
    expect(limited).toMatchObject({ by: "rate", untilMs: 20_000 });
    const reserved = { atMs: day, openings: 0 };
    expect(admitDelivery(HEALTHY, rated, reserved, 0).kind).toBe("attempt");
  });

  test("a breaker that is switched off holds nothing", () => {
    expect(admitDelivery(open, { ...plain, breaker: null }, null, 0).kind).toBe("attempt");
  });

  test("a send time is reserved once, used when it has come, and void when it is long past", () => {
    const first = admitDelivery(HEALTHY, rated, null, 0);
    expect(first.kind).toBe("attempt");
    const second = admitDelivery(first.state, rated, null, 0);
    expect(second).toMatchObject({ kind: "hold", by: "rate", untilMs: 10_000 });
    const { reserved } = second as Extract<Admission, { kind: "hold" }>;
    const early = admitDelivery(second.state, rated, reserved, 4_000);
    expect(early).toMatchObject({ kind: "hold", untilMs: 10_000, reserved });
    expect(early.state).toBe(second.state);
    const inTime = admitDelivery(second.state, rated, reserved, 10_500);
    expect(inTime).toEqual({ kind: "attempt", probe: false, state: second.state });
    const late = admitDelivery(second.state, rated, reserved, 15_500);
    expect(late).toMatchObject({ kind: "hold", untilMs: 20_000 });
  });

  test("who comes when they are told is held once by the rate, and nobody is sent too early", () => {
    const deliveries = fc.array(fc.nat(20_000), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(deliveries, fc.integer({ min: 1, max: 5 }), (arrivals, burst) => {
        const policy = { ...plain, rate: { count: 1, perMs: 1_000, burst } };
        let state = HEALTHY;
        const sent: number[] = [];
        const waiting = arrivals.map((atMs) => ({
          atMs,
          reserved: null as ReservedTime | null,
          holds: 0,
        }));
        while (waiting.length > 0) {
          waiting.sort((left, right) => left.atMs - right.atMs);
          const one = waiting[0] as (typeof waiting)[number];
          const admission = admitDelivery(state, policy, one.reserved, one.atMs);
          ({ state } = admission);
          if (admission.kind === "attempt") {
            sent.push(one.atMs);
            waiting.shift();
          } else {
            one.holds += 1;
            one.reserved = admission.reserved;
            one.atMs = admission.untilMs;
          }
          if (one.holds > 1) return false;
        }
        return sent.every((atMs, at) => {
          const before = sent[at - burst];
          return before === undefined || atMs - before >= 1_000 - 2 * burst - 2;
        });
      }),
    );
  });
});
