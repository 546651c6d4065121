import { type DeadLetter, type DeliverySpec, RetryAfterError } from "@orgloop/sdk";
import { fakeClock } from "@orgloop/testkit";
import { describe, expect, test } from "vitest";
import {
  eventually,
  type Fixture,
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  TOKEN,
  temporaryDir,
  topologyOf,
} from "../process/process-fixture.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const STEPS = [-HOUR, HOUR, -DAY, DAY];

/** A process with one route, on a machine whose clock is set by the test. */
async function stepping(
  act: (call: number) => void,
  delivery: Partial<DeliverySpec>,
  config: Readonly<Record<string, unknown>> = {},
) {
  const clock = fakeClock();
  const at: number[] = [];
  const agent = recordingActor(() => {
    at.push(clock.now());
    act(at.length);
  });
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent } };
  const one = route("r", "hook", "agent", delivery);
  const routes = [{ ...one, then: { ...one.then, config } }];
  const dataDir = await temporaryDir();
  const start = (options = {}) =>
    startFixture(topologyOf(parts, routes, { bus: "file" }), parts, {
      dataDir,
      ...clock,
      ...options,
    });
  return { clock, at, start };
}

async function lettersOf(running: Fixture): Promise<readonly DeadLetter[]> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return (await running.get("/control/dead-letters", { headers })).json() as Promise<DeadLetter[]>;
}

/** Time passes until the check holds, `ms` at the most; the disk is a real one. */
async function within(
  clock: ReturnType<typeof fakeClock>,
  ms: number,
  check: () => void | Promise<void>,
): Promise<void> {
  const endMs = clock.now() + ms;
  await eventually(async () => {
    if (clock.now() < endMs) await clock.advance(Math.min(ms / 20, endMs - clock.now()));
    await check();
  });
}

describe.each(STEPS)("the machine's clock is set by %i ms", (step) => {
  test("a retry comes when it is due", async () => {
    const retry = {
      max_attempts: 3,
      backoff: "fixed",
      initial_delay: "1m",
      max_delay: "1m",
      jitter: "none",
    } as const;
    const it = await stepping(
      (call) => {
        if (call === 1) throw new Error("ill");
      },
      { retry },
    );
    const running = await it.start();
    await running.post("/webhook/hook", { n: 1 });
    await eventually(() => expect(it.at).toHaveLength(1));
    it.clock.stepWall(step);
    await within(it.clock, 61_000, () => expect(it.at).toHaveLength(2));
  });

  test("Retry-After, a hold and its probe end when they are due", async () => {
    const it = await stepping(
      (call) => {
        if (call === 1) throw new RetryAfterError("busy", 120_000);
        if (call === 2) throw new Error("ill");
      },
      { circuit_breaker: { failure_threshold: 1, cooldown: "30s", max_cooldown: "2m" } },
    );
    const running = await it.start();
    await running.post("/webhook/hook", { n: 1 });
    await eventually(() => expect(it.at).toHaveLength(1));
    it.clock.stepWall(step);
    await within(it.clock, 121_000, () => expect(it.at).toHaveLength(2));
    it.clock.stepWall(-2 * step);
    await within(it.clock, 61_000, () => expect(it.at).toHaveLength(3));
  });

  test("a rate neither stops nor lets a flood through", async () => {
    const it = await stepping(() => {}, { max_rate: "6/m" });
    const running = await it.start();
    for (let n = 0; n < 6; n++) await running.post("/webhook/hook", { n });
    await eventually(() => expect(it.at).toHaveLength(1));
    it.clock.stepWall(step);
    await within(it.clock, 61_000, () => expect(it.at).toHaveLength(6));
    const spaces = it.at.slice(1).map((atMs, n) => atMs - (it.at[n] ?? 0));
    expect(Math.min(...spaces)).toBeGreaterThanOrEqual(9_990);
  });

  test("what waits is not too old because the clock is ahead, and a letter tells the machine's time", async () => {
    const it = await stepping(
      () => {
        throw new Error("ill");
      },
      {
        max_age: "30m",
        circuit_breaker: { failure_threshold: 1, cooldown: "1m", max_cooldown: "1m" },
      },
    );
    const running = await it.start();
    await running.post("/webhook/hook", { n: 1 });
    await eventually(() => expect(it.at).toHaveLength(1));
    it.clock.stepWall(step);
    await within(it.clock, 10 * 60_000, () => expect(it.at.length).toBeGreaterThan(5));
    expect(await lettersOf(running)).toEqual([]);
    await within(it.clock, 28 * 60_000, async () =>
      expect(await lettersOf(running)).toMatchObject([{ reason: "expired" }]),
    );
    const [letter] = await lettersOf(running);
    expect(Math.abs(Date.parse(letter?.last_at ?? "") - it.clock.wall())).toBeLessThan(HOUR);
  });

  test("over a restart a breaker and a rate hold no longer than their policies allow", async () => {
    const it = await stepping(
      (call) => {
        if (call === 1) throw new Error("ill");
      },
      {
        max_rate: "1/m",
        circuit_breaker: { failure_threshold: 1, cooldown: "2m", max_cooldown: "4m" },
      },
    );
    const first = await it.start();
    await first.post("/webhook/hook", { n: 1 });
    await first.entry("circuit.open");
    await first.drain();
    const again = fakeClock(it.clock.now() + step);
    const second = await it.start({ ...again });
    await within(again, 4 * 60_000 + 60_000, () => expect(it.at).toHaveLength(2));
    await second.drain();
  });

  test("an event is kept in its inbox as long as it may wait, and no longer", async () => {
    const inbox = { inbox: true, session_key: "a", inbox_ttl: "30m" };
    const it = await stepping(() => {}, {}, inbox);
    const running = await it.start();
    await running.post("/webhook/hook", { n: 1 });
    await eventually(() => expect(it.at).toHaveLength(1));
    it.clock.stepWall(step);
    await it.clock.advance(29 * 60_000);
    expect(await lettersOf(running)).toEqual([]);
    await within(it.clock, 2 * 60_000, async () =>
      expect(await lettersOf(running)).toMatchObject([{ reason: "expired" }]),
    );
  });
});
