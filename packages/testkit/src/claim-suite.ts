import type { ClaimStore } from "@orgloop/sdk";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { type StoreHarness, tracked } from "./store-harness.ts";

/**
 * The laws of {@link ClaimStore}; the survival of a crash where the harness can reopen.
 *
 * @example
 * claimSuite({ name: "memory", open: async () => memoryClaims() });
 */
export function claimSuite(harness: StoreHarness<ClaimStore>): void {
  const { open, reopen, closeAll } = tracked(harness);
  afterEach(closeAll);

  describe(`${harness.name}: claims`, () => {
    test("a key belongs to the event that claimed it first, until its window has passed", async () => {
      const store = await open();
      expect(await store.claim("key", "evt_1", 100, 0)).toBe(true);
      expect(await store.claim("key", "evt_2", 100, 50)).toBe(false);
      expect(await store.claim("key", "evt_1", 100, 99)).toBe(true);
      expect(await store.claim("key", "evt_2", 100, 99)).toBe(false);
      expect(await store.claim("key", "evt_2", 100, 100)).toBe(true);
      expect(await store.claim("key", "evt_1", 100, 100)).toBe(false);
    });

    test("of several that claim a key at once, one event holds it", async () => {
      const store = await open();
      const held = await Promise.all(
        Array.from({ length: 20 }, (_, n) => store.claim("key", `evt_${n}`, 100, 0)),
      );
      expect(held.filter(Boolean)).toHaveLength(1);
    });

    test("it agrees with remembering everything", async () => {
      const step = fc.record({
        // A key is of one transform, and has its window.
        claimed: fc.constantFrom(
          { key: "a", windowMs: 5 },
          { key: "b", windowMs: 20 },
          { key: "é\n\0", windowMs: 20 },
        ),
        eventId: fc.constantFrom("evt_1", "evt_2", "evt_3"),
        waitMs: fc.nat(15),
        reopens: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          let store = await open();
          const holders = new Map<string, { eventId: string; expiresMs: number }>();
          let nowMs = 0;
          for (const { claimed, eventId, waitMs, reopens } of steps) {
            const { key, windowMs } = claimed;
            nowMs += waitMs;
            if (reopens && harness.reopen) {
              await store.written?.();
              store = await reopen(store);
            }
            const holder = holders.get(key);
            const free = holder === undefined || holder.expiresMs <= nowMs;
            if (free) holders.set(key, { eventId, expiresMs: nowMs + windowMs });
            const expected = free || holder.eventId === eventId;
            expect(await store.claim(key, eventId, windowMs, nowMs)).toBe(expected);
          }
          await closeAll();
        }),
        { numRuns: 30 },
      );
    });

    test("thousands that expire leave those that have not", async () => {
      const store = await open();
      expect(await store.claim("long", "evt_1", 1_000_000, 0)).toBe(true);
      for (let n = 0; n < 5_000; n += 100) {
        const batch = Array.from({ length: 100 }, (_, i) => `key ${n + i}`);
        const held = batch.map((key) => store.claim(key, "evt_1", 10, n));
        expect(await Promise.all(held)).not.toContain(false);
      }
      expect(await store.claim("long", "evt_2", 1_000_000, 10_000)).toBe(false);
      expect(await store.claim("key 4999", "evt_2", 10, 10_000)).toBe(true);
    });
  });
}
