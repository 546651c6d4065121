import fc from "fast-check";
import { expect, test } from "vitest";
import { afterAttempt, CLOSED, circuitOf, type Health, passBreaker } from "./breaker.ts";

const policy = { failureThreshold: 3, cooldownMs: 1_000, maxCooldownMs: 8_000 };

function openedAt(nowMs: number) {
  let state = CLOSED;
  for (let i = 0; i < policy.failureThreshold; i += 1) {
    state = afterAttempt(state, "failure", false, policy, nowMs);
  }
  return state;
}

test("consecutive failures open it; a success in between starts the count again; refusals do not count", () => {
  let state = CLOSED;
  for (const health of [
    "failure",
    "failure",
    "success",
    "failure",
    "refused",
    "failure",
  ] as const) {
    state = afterAttempt(state, health, false, policy, 0);
    expect(circuitOf(state, 0)).toBe("closed");
  }
  expect(circuitOf(afterAttempt(state, "failure", false, policy, 0), 0)).toBe("open");
});

test("open: held until the cooldown has passed, then one probe, and nobody else meanwhile", () => {
  const state = openedAt(5_000);
  expect(passBreaker(state, 5_999, 100)).toEqual({ kind: "hold", untilMs: 6_000 });
  const gate = passBreaker(state, 6_000, 100);
  if (gate.kind !== "probe") throw new Error(`expected a probe, got ${gate.kind}`);
  expect(circuitOf(gate.state, 6_000)).toBe("half_open");
  expect(passBreaker(gate.state, 6_050, 100)).toEqual({ kind: "hold", untilMs: 6_100 });
});

test("a probe whose host died makes room after its time", () => {
  const gate = passBreaker(openedAt(0), 1_000, 100);
  if (gate.kind !== "probe") throw new Error(`expected a probe, got ${gate.kind}`);
  expect(passBreaker(gate.state, 1_100, 100).kind).toBe("probe");
});

test("failed probes hold twice as long each time, capped; a success closes", () => {
  let now = 0;
  let state = openedAt(now);
  const cooldowns: number[] = [];
  for (let i = 0; i < 6; i += 1) {
    cooldowns.push(state.cooldownMs);
    now = state.openUntilMs as number;
    const gate = passBreaker(state, now, 100);
    if (gate.kind !== "probe") throw new Error(`expected a probe, got ${gate.kind}`);
    state = afterAttempt(gate.state, "failure", true, policy, now);
  }
  expect(cooldowns).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
  expect(afterAttempt(state, "success", true, policy, now)).toEqual({ ...CLOSED, openings: 1 });
});

test("a refused probe counts neither way: the next may go at once", () => {
  const gate = passBreaker(openedAt(0), 1_000, 100);
  if (gate.kind !== "probe") throw new Error(`expected a probe, got ${gate.kind}`);
  const state = afterAttempt(gate.state, "refused", true, policy, 1_001);
  expect(passBreaker(state, 1_001, 100).kind).toBe("probe");
});

test("whatever happens: at most one probe at a time, and none before the cooldown has passed", () => {
  const steps = fc.array(
    fc.record({
      waitMs: fc.integer({ min: 0, max: 3_000 }),
      health: fc.constantFrom<Health>("success", "failure", "refused"),
      ends: fc.boolean(),
    }),
    { maxLength: 100 },
  );
  fc.assert(
    fc.property(steps, (run) => {
      const probeTimeoutMs = 1_000_000;
      let now = 0;
      let state = CLOSED;
      const inFlight: boolean[] = [];
      for (const { waitMs, health, ends } of run) {
        now += waitMs;
        const gate = passBreaker(state, now, probeTimeoutMs);
        if (state.openUntilMs !== null && now < state.openUntilMs) expect(gate.kind).toBe("hold");
        if (gate.kind === "probe") state = gate.state;
        if (gate.kind !== "hold") inFlight.push(gate.kind === "probe");
        expect(inFlight.filter(Boolean).length).toBeLessThanOrEqual(1);
        const wasProbe = ends ? inFlight.shift() : undefined;
        if (wasProbe !== undefined) state = afterAttempt(state, health, wasProbe, policy, now);
      }
    }),
    { numRuns: 2_000 },
  );
});
