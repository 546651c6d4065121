import type { OrgLoopEvent, TransformContext } from "@orgloop/sdk";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dedupConfig } from "./config.ts";
import { dedupTransform } from "./dedup-transform.ts";
import { windowClaims } from "./window-claims.ts";

const event: OrgLoopEvent = {
  id: "evt_1",
  timestamp: "2026-11-01T00:00:00.000Z",
  source: "github",
  type: "resource.changed",
  provenance: { platform: "github" },
  payload: { number: 42, label: { name: "a" } },
  trace_id: "trc_1",
};
const context: TransformContext = { route: "r", actor: "a", signal: new AbortController().signal };

function open(config: Record<string, unknown>, claims = windowClaims(), id = "once") {
  const clock = { ms: 0 };
  const transform = dedupTransform(dedupConfig.parse(config), { id, claims, now: () => clock.ms });
  const passes = async (changes: Partial<OrgLoopEvent>, route = "r") =>
    (await transform.execute({ ...event, ...changes }, { ...context, route })) !== null;
  return { clock, passes };
}

const byNumber = { key: ["payload.number"] };

describe("dedup", () => {
  test("lets a replay pass whoever holds its key by now, and claims nothing for it", async () => {
    const { clock, passes } = open({ ...byNumber, window: "5m" });
    expect(await passes({ id: "evt_1" })).toBe(true);
    clock.ms = 300_000;
    expect(await passes({ id: "evt_2" })).toBe(true);
    expect(await passes({ id: "evt_1", replay: 1 })).toBe(true);
    expect(await passes({ id: "evt_3", replay: 1, payload: { number: 43 } })).toBe(true);
    expect(await passes({ id: "evt_4", payload: { number: 43 } })).toBe(true);
  });

  test("another event with the key is a duplicate, the same event passes again", async () => {
    const { passes } = open(byNumber);
    expect(await passes({ id: "evt_1" })).toBe(true);
    expect(await passes({ id: "evt_2" })).toBe(false);
    expect(await passes({ id: "evt_1" })).toBe(true);
    expect(await passes({ id: "evt_2", payload: { number: 43 } })).toBe(true);
  });

  test("the window counts from the first event, whatever came between", async () => {
    const { clock, passes } = open({ ...byNumber, window: "5m" });
    expect(await passes({ id: "evt_1" })).toBe(true);
    clock.ms = 299_999;
    expect(await passes({ id: "evt_1" })).toBe(true);
    expect(await passes({ id: "evt_2" })).toBe(false);
    clock.ms = 300_000;
    expect(await passes({ id: "evt_2" })).toBe(true);
  });

  test("the default key is source, type and id: nothing but the same event has it", async () => {
    const { passes } = open({});
    expect(await passes({ id: "evt_1" })).toBe(true);
    expect(await passes({ id: "evt_2" })).toBe(true);
  });

  test("routes and transforms have keys of their own in one store", async () => {
    const claims = windowClaims();
    const one = open(byNumber, claims, "one");
    const two = open(byNumber, claims, "two");
    expect(await one.passes({ id: "evt_1" }, "a")).toBe(true);
    expect(await one.passes({ id: "evt_2" }, "b")).toBe(true);
    expect(await two.passes({ id: "evt_3" }, "a")).toBe(true);
    expect(await one.passes({ id: "evt_4" }, "a")).toBe(false);
  });

  test("claims outlive the transform; with `store: memory` they do not", async () => {
    const claims = windowClaims();
    await open(byNumber, claims).passes({ id: "evt_1" });
    expect(await open(byNumber, claims).passes({ id: "evt_2" })).toBe(false);
    expect(await open({ ...byNumber, store: "memory" }, claims).passes({ id: "evt_2" })).toBe(true);
  });

  test("a host that is gone after each call has no memory but the claims", async () => {
    const claims = windowClaims();
    const config = dedupConfig.parse({ ...byNumber, store: "memory" });
    const passes = (id: string) => {
      const options = { id: "once", claims, now: () => 0, stateless: true };
      return dedupTransform(config, options).execute({ ...event, id }, context);
    };
    expect(await passes("evt_1")).not.toBeNull();
    expect(await passes("evt_2")).toBeNull();
  });

  test("`fields` is `key`; missing values are empty; objects differ by content", async () => {
    const { passes } = open({ fields: ["payload.label", "payload.missing"] });
    expect(await passes({ id: "evt_1" })).toBe(true);
    expect(await passes({ id: "evt_2" })).toBe(false);
    expect(await passes({ id: "evt_3", payload: { label: { name: "b" } } })).toBe(true);
  });

  test.each([{ key: [] }, { key: ["a.__proto__"] }, { window: "5 minutes" }, { store: "redis" }])(
    "%j is a configuration error",
    (config) => {
      expect(dedupConfig.safeParse(config).success).toBe(false);
    },
  );
});

test("windowClaims agrees with remembering everything", async () => {
  const step = fc.record({
    key: fc.constantFrom("a", "b", "c"),
    eventId: fc.constantFrom("1", "2"),
    waitMs: fc.nat(15),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step), async (steps) => {
      const claims = windowClaims();
      const first = new Map<string, { eventId: string; atMs: number }>();
      let nowMs = 0;
      for (const { key, eventId, waitMs } of steps) {
        nowMs += waitMs;
        const holder = first.get(key);
        const free = holder === undefined || nowMs - holder.atMs >= 10;
        if (free) first.set(key, { eventId, atMs: nowMs });
        const expected = free || holder.eventId === eventId;
        expect(await claims.claim(key, eventId, 10, nowMs)).toBe(expected);
      }
    }),
  );
});
