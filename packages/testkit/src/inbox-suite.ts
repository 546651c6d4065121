import type { InboxEntry, InboxStore } from "@orgloop/sdk";
import { afterEach, describe, expect, test } from "vitest";
import { type StoreHarness, tracked } from "./store-harness.ts";
import { testEvent } from "./test-event.ts";

const START_MS = Date.parse("2026-11-01T00:00:00Z");

/** Entry `n` of a session; it expires `n` seconds after the hour. */
export function sampleInboxEntry(n: number, session_key = "agent", text = "é\n😀"): InboxEntry {
  return {
    id: `in_${n}`,
    session_key,
    route: "team/review",
    actor: "agent",
    event: testEvent({ id: `evt_${n}`, trace_id: `trc_${n}`, payload: { text } }),
    ordering_key: "acme/api#1",
    queued_at: new Date(START_MS).toISOString(),
    expires_at: new Date(START_MS + 3_600_000 + n * 1_000).toISOString(),
    max_batch: 100,
  };
}

/**
 * The laws of {@link InboxStore}; the survival of a crash where the harness can reopen.
 *
 * @example
 * inboxSuite({ name: "memory", open: async () => memoryInbox() });
 */
export function inboxSuite(harness: StoreHarness<InboxStore>): void {
  const { open, reopen, closeAll } = tracked(harness);
  afterEach(closeAll);
  const idsOf = async (store: InboxStore, key = "agent", limit = 1_000) =>
    (await store.list(key, limit)).map(({ id }) => id);
  const putAll = (store: InboxStore, count: number, key?: string) =>
    Promise.all(Array.from({ length: count }, (_, n) => store.put(sampleInboxEntry(n, key))));

  describe(`${harness.name}: inboxes`, () => {
    test("what was put is listed as it was, in order, by session", async () => {
      const store = await open();
      expect(await store.list("agent", 10)).toEqual([]);
      for (const n of [3, 1, 2]) await store.put(sampleInboxEntry(n));
      await store.put(sampleInboxEntry(4, 'other\'s "key"\n'));
      expect(await store.list("agent", 10)).toEqual([3, 1, 2].map((n) => sampleInboxEntry(n)));
      expect(await idsOf(store, "agent", 2)).toEqual(["in_3", "in_1"]);
      expect(await idsOf(store, 'other\'s "key"\n')).toEqual(["in_4"]);
    });

    test("many at once keep the order of the calls; the same id is one, in its first place", async () => {
      const store = await open();
      await putAll(store, 100);
      const again = await Promise.all([7, 7, 100, 100].map((n) => store.put(sampleInboxEntry(n))));
      expect(again).toEqual([false, false, true, false]);
      expect(await idsOf(store)).toEqual(Array.from({ length: 101 }, (_, n) => `in_${n}`));
    });

    test("what was removed is gone from that session only; unknown ids are ignored", async () => {
      const store = await open();
      await putAll(store, 3);
      await putAll(store, 3, "other");
      await store.remove("agent", ["in_0", "in_2", "in_99"]);
      await store.remove("nobody", ["in_1"]);
      await store.remove("agent", []);
      expect(await idsOf(store)).toEqual(["in_1"]);
      expect(await idsOf(store, "other")).toEqual(["in_0", "in_1", "in_2"]);
    });

    test("sessions say how many wait and whether the actor knows; an empty one is forgotten", async () => {
      const store = await open();
      await store.setNotified("agent", true);
      expect(await store.sessions()).toEqual([]);
      await putAll(store, 2);
      await putAll(store, 1, "other");
      await store.setNotified("other", true);
      await store.setNotified("agent", true);
      await store.setNotified("agent", false);
      const sessions = async () =>
        Object.fromEntries((await store.sessions()).map((one) => [one.session_key, one]));
      expect(await sessions()).toEqual({
        agent: { session_key: "agent", pending: 2, notified: false },
        other: { session_key: "other", pending: 1, notified: true },
      });
      await store.remove("other", ["in_0"]);
      await store.put(sampleInboxEntry(5, "other"));
      expect((await sessions()).other).toMatchObject({ pending: 1, notified: false });
    });

    test("what has expired is told, until it is removed", async () => {
      const store = await open();
      for (const n of [2, 0, 1]) await store.put(sampleInboxEntry(n, n === 1 ? "other" : "agent"));
      const atMs = START_MS + 3_600_000;
      const expired = async (nowMs: number, limit = 10) =>
        (await store.expired(nowMs, limit)).map(({ id }) => id).sort();
      expect(await expired(atMs - 1)).toEqual([]);
      expect(await expired(atMs + 1_000)).toEqual(["in_0", "in_1"]);
      expect(await expired(atMs + 9_000, 2)).toHaveLength(2);
      await store.remove("agent", ["in_0", "in_2"]);
      expect(await expired(atMs + 9_000)).toEqual(["in_1"]);
      await store.put({ ...sampleInboxEntry(3), expires_at: new Date(atMs - 5).toISOString() });
      expect(await expired(atMs)).toEqual(["in_3"]);
    });

    test("put and removed again and again, it holds what is left", async () => {
      const store = await open();
      for (let n = 0; n < 60; n++) {
        const key = n % 2 === 0 ? "agent" : "other";
        await store.put(sampleInboxEntry(n, key, "x".repeat(5_000)));
        if (n === 10) await store.setNotified("agent", true);
        if (n % 10 !== 0) await store.remove(key, [`in_${n}`]);
      }
      expect(await idsOf(store)).toEqual(["in_0", "in_10", "in_20", "in_30", "in_40", "in_50"]);
      expect((await store.list("agent", 9))[5]).toEqual(
        sampleInboxEntry(50, "agent", "x".repeat(5_000)),
      );
      expect(await store.sessions()).toEqual([
        { session_key: "agent", pending: 6, notified: true },
      ]);
    });

    if (harness.reopen === undefined) return;

    test("what was put, removed and said survives the death of the process", async () => {
      const store = await open();
      await putAll(store, 20);
      await putAll(store, 1, "other");
      await store.remove("agent", ["in_0", "in_19"]);
      await store.setNotified("agent", true);
      const again = await reopen(store);
      expect(await again.list("agent", 100)).toEqual(
        Array.from({ length: 18 }, (_, n) => sampleInboxEntry(n + 1)),
      );
      expect(await again.sessions()).toEqual([
        { session_key: "agent", pending: 18, notified: true },
        { session_key: "other", pending: 1, notified: false },
      ]);
      await again.put(sampleInboxEntry(20));
      await again.setNotified("agent", false);
      const third = await reopen(again);
      expect(await idsOf(third)).toContain("in_20");
      expect((await third.sessions())[0]).toMatchObject({ pending: 19, notified: false });
    });
  });
}
