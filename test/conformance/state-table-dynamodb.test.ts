import {
  dynamoAppliedState,
  dynamoAttempts,
  dynamoReplayNumbers,
  dynamoRouteStates,
  dynamoSourceStates,
  type Lease,
  leasedCheckpoints,
} from "@orgloop/aws/state";
import { afterAttempt, type BreakerPolicy, CLOSED, passBreaker, reserve } from "@orgloop/engine";
import type { RouteState } from "@orgloop/sdk";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tableOfEachTest } from "./table-of-each-test.ts";

const its = tableOfEachTest();
const { now, items } = its;

async function checkpointOf(source: string): Promise<string | null> {
  return (await dynamoSourceStates(its.state).read([source])).get(source)?.checkpoint ?? null;
}

describe("leases", () => {
  test("one owner at a time; the next after the release, or when its time is over", async () => {
    const leases = leasedCheckpoints({ ...its.state, now });
    const first = await leases.acquire("github", "a", 1_000);
    expect(first?.get()).toBeNull();
    expect(await leases.acquire("github", "b", 1_000)).toBeNull();
    expect(await leases.acquire("other", "b", 1_000)).not.toBeNull();
    await first?.set("1", { events: 3 });
    const illLists = [{ list: "acme/api issues", error: "404", failures: 1 }];
    await first?.release({ failed: true, events: 2, illLists });
    const states = dynamoSourceStates(its.state);
    const own = { leaseUntilMs: null, unended: 0 };
    const kept = { checkpoint: "1", polledMs: its.nowMs, events: 5, failures: 1, illLists, ...own };
    expect(await states.read(["github", "never"])).toEqual(new Map([["github", kept]]));
    const second = await leases.acquire("github", "b", 1_000);
    expect(second?.get()).toBe("1");
    expect([first?.unended, second?.unended]).toEqual([0, 0]);
    its.nowMs += 1_000;
    const third = await leases.acquire("github", "c", 1_000);
    expect(third?.unended).toBe(1);
    await third?.set("2");
    expect(third?.get()).toBe("2");
    expect(await checkpointOf("github")).toBe("2");
    await third?.release();
    const { failures, illLists: left } = (await states.read(["github"])).get("github") ?? {};
    expect({ failures, left }).toEqual({ failures: 0, left: [] });
  });

  test("who lost the lease moves nothing, taken by another or not, and cannot end another's", async () => {
    const leases = leasedCheckpoints({ ...its.state, now });
    const late = await leases.acquire("github", "a", 1_000);
    await late?.set("1");
    its.nowMs += 1_000;
    await expect(late?.set("2")).rejects.toMatchObject({ code: "LEASE_LOST" });
    const holder = await leases.acquire("github", "b", 10_000);
    await expect(late?.set("2")).rejects.toMatchObject({ code: "LEASE_LOST" });
    await late?.release();
    expect(await leases.acquire("github", "c", 1_000)).toBeNull();
    await holder?.set("3");
    expect(await checkpointOf("github")).toBe("3");
  });

  test("a lease that a wrong clock has written into the far future keeps nobody out, one of a day does", async () => {
    const day = 86_400_000;
    const ahead = leasedCheckpoints({ ...its.state, now: () => now() + 3 * day });
    await ahead.acquire("github", "a", 1_000);
    const leases = leasedCheckpoints({ ...its.state, now });
    const mine = await leases.acquire("github", "b", 1_000);
    expect(mine).not.toBeNull();
    await mine?.release({ failed: true, notBeforeMs: now() + 30 * day });
    expect(await leases.acquire("github", "c", 1_000)).toBeNull();
    its.nowMs += day;
    expect(await leases.acquire("github", "c", 1_000)).not.toBeNull();
  });

  test("of many that poll at once one gets the source", async () => {
    const taken = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        leasedCheckpoints({ ...its.state, now }).acquire("github", `${n}`, 1_000),
      ),
    );
    expect(taken.filter(Boolean)).toHaveLength(1);
  });
});

test("whatever pollers do and however long it takes them, only the last lease that still runs moves the checkpoint", async () => {
  const TTL_MS = 100;
  const step = fc.record({
    poller: fc.nat(2),
    does: fc.constantFrom("acquire", "set", "release"),
    waitMs: fc.constantFrom(0, 0, 30, 120),
  });
  let round = 0;
  const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
    const source = `source-${round++}`;
    const held = new Map<number, { lease: Lease; untilMs: number }>();
    let holder: number | null = null;
    let checkpoint: string | null = null;
    for (const [index, { poller, does, waitMs }] of steps.entries()) {
      its.nowMs += waitMs;
      const own = held.get(poller);
      const holds = holder === poller && own !== undefined && its.nowMs < own.untilMs;
      if (does === "acquire") {
        const free = holder === null || its.nowMs >= (held.get(holder)?.untilMs ?? 0);
        const lease = await leasedCheckpoints({ ...its.state, now }).acquire(
          source,
          `${poller}`,
          TTL_MS,
        );
        expect(lease !== null).toBe(free);
        if (lease === null) continue;
        expect(lease.get()).toBe(checkpoint);
        held.set(poller, { lease, untilMs: its.nowMs + TTL_MS });
        holder = poller;
      } else if (does === "set" && own !== undefined) {
        const moved = own.lease.set(`${index}`).then(
          () => true,
          () => false,
        );
        expect(await moved).toBe(holds);
        if (holds) checkpoint = `${index}`;
      } else if (own !== undefined) {
        await own.lease.release();
        held.delete(poller);
        if (holds) holder = null;
      }
    }
    expect(await checkpointOf(source)).toBe(checkpoint);
  });
  await fc.assert(property, { numRuns: 40 });
});

describe("route states", () => {
  const POLICY: BreakerPolicy = { failureThreshold: 5, cooldownMs: 1_000, maxCooldownMs: 60_000 };
  /** As many functions: each has a store of its own. */
  const functions = (count: number) =>
    Array.from({ length: count }, () => dynamoRouteStates({ ...its.state, now }));

  test("a hundred functions reserve at once, and never more than the rate", async () => {
    const rate = { count: 10, perMs: 1_000, burst: 1 };
    const times = await Promise.all(
      functions(100).map(async (states) => {
        let atMs = 0;
        await states.update("rated", (shared) => {
          const reserved = reserve(shared.rateMs, rate, its.nowMs);
          atMs = reserved.atMs;
          return { ...shared, rateMs: reserved.state };
        });
        return atMs;
      }),
    );
    const sorted = times.toSorted((a, b) => a - b);
    expect(sorted[0]).toBe(its.nowMs);
    for (const [index, atMs] of sorted.entries()) {
      expect(Math.abs(atMs - (its.nowMs + index * 100))).toBeLessThanOrEqual(2);
    }
  });

  test("of fifty functions that find the breaker's cooldown over, one probes", async () => {
    const [first] = functions(1);
    await first?.update("ill", (shared) => ({
      ...shared,
      breaker: { ...CLOSED, openUntilMs: its.nowMs - 1, cooldownMs: 1_000 },
    }));
    const gates = await Promise.all(
      functions(50).map(async (states) => {
        let kind = "";
        await states.update("ill", (shared) => {
          const gate = passBreaker(shared.breaker, its.nowMs, 30_000);
          kind = gate.kind;
          return gate.kind === "probe" ? { ...shared, breaker: gate.state } : null;
        });
        return kind;
      }),
    );
    expect(gates.filter((kind) => kind === "probe")).toHaveLength(1);
    expect(gates.filter((kind) => kind === "hold")).toHaveLength(49);
  });

  test("failures of many functions are all counted", async () => {
    await Promise.all(functions(4).map((states) => states.update("ill", (shared) => fail(shared))));
    const [states] = functions(1);
    const { before, after } = (await states?.update("ill", fail)) ?? {};
    expect(before?.breaker.failures).toBe(4);
    expect(after?.breaker.openUntilMs).toBe(its.nowMs + 1_000);
    expect(await states?.load()).toEqual(
      new Map([
        [
          "ill",
          {
            breaker: { ...CLOSED, openUntilMs: its.nowMs + 1_000, cooldownMs: 1_000, openings: 1 },
            rateMs: null,
          },
        ],
      ]),
    );
  });

  const fail = (shared: RouteState): RouteState => ({
    ...shared,
    breaker: afterAttempt(shared.breaker, "failure", false, POLICY, its.nowMs),
  });

  test("a healthy route writes nothing", async () => {
    const [states] = functions(1);
    const { before, after } =
      (await states?.update("healthy", (shared) => ({
        ...shared,
        breaker: afterAttempt(shared.breaker, "success", false, POLICY, its.nowMs),
      }))) ?? {};
    expect(after).toBe(before);
    expect(await items()).toEqual([]);
  });
});

describe("attempts", () => {
  test("starts are counted however many begin; an outcome is kept; forgotten is gone", async () => {
    const attempts = dynamoAttempts({ ...its.state, now });
    expect(await attempts.load("dlv_1")).toBeNull();
    const starts = await Promise.all(Array.from({ length: 20 }, () => attempts.start("dlv_1")));
    expect(starts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    expect(await attempts.load("dlv_1")).toMatchObject({ state: null, starts: 20 });
    const record = {
      state: {
        attempts: 2,
        uncountedSinceMs: null,
        firstAtMs: 1.5,
        lastAtMs: 2,
        firstError: "é\0",
        lastError: "",
      },
      starts: 0,
      reserved: { atMs: 7.25, openings: 3 },
      heldUntilMs: null,
    };
    await attempts.save("dlv_1", record);
    expect(await attempts.load("dlv_1")).toEqual(record);
    expect(await attempts.start("dlv_1")).toBe(1);
    expect(await attempts.load("dlv_1")).toEqual({ ...record, starts: 1 });
    expect(await attempts.load("x".repeat(5_000))).toBeNull();
    const [item] = await items();
    expect(item?.ttl?.N).toBe(String(its.nowMs / 1_000 + 15 * 86_400));
    await attempts.forget("dlv_1");
    expect(await attempts.load("dlv_1")).toBeNull();
  });
});

test("the applied state is counted on by one deploy at a time", async () => {
  const applied = dynamoAppliedState(its.state);
  expect(await applied.read()).toBeNull();
  const at = (serial: number, hash: string) => ({ serial, hash, applied_at: "2026-11-01" });
  await applied.write(at(1, "a"));
  await expect(applied.write(at(1, "b"))).rejects.toMatchObject({ code: "STATE_MOVED" });
  await expect(applied.write(at(3, "c"))).rejects.toMatchObject({ code: "STATE_MOVED" });
  await applied.write(at(2, "b"));
  expect(await applied.read()).toEqual(at(2, "b"));
});

test("replays of an event are numbered apart, also when asked for at once", async () => {
  const numbers = dynamoReplayNumbers({ ...its.state, now });
  const given = await Promise.all(Array.from({ length: 10 }, () => numbers.next("evt_1")));
  expect(new Set(given)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
  expect(await numbers.next("evt_2")).toBe(1);
});
