import { type DeadLetter, type DeadLetterStore, summaryOf } from "@orgloop/sdk";
import { afterEach, describe, expect, test } from "vitest";
import { type StoreHarness, tracked } from "./store-harness.ts";

/** A dead letter of event `evt_n`. */
export function sampleDeadLetter(n: number, text = "é\n😀"): DeadLetter {
  return {
    id: `dl_${n}`,
    event_id: `evt_${n}`,
    route: "team/review",
    actor: "agent",
    reason: "exhausted",
    attempts: 3,
    first_at: "2026-11-01T00:00:00.000Z",
    last_at: "2026-11-01T00:01:00.000Z",
    first_error: "HTTP 500",
    last_error: "HTTP 503",
    event: {
      id: `evt_${n}`,
      timestamp: "2026-11-01T00:00:00.000Z",
      source: "github",
      type: "resource.changed",
      provenance: { platform: "github" },
      payload: { text },
      trace_id: `trc_${n}`,
    },
  };
}

/** All letters of a store, whole, in the order of its list. */
export async function storedLetters(store: DeadLetterStore): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const { id } of store.list()) letters.push((await store.get(id)) as DeadLetter);
  return letters;
}

/**
 * The laws of {@link DeadLetterStore}; the survival of a crash where the harness can reopen.
 *
 * @example
 * deadLetterSuite({ name: "memory", open: async () => memoryDeadLetters() });
 */
export function deadLetterSuite(harness: StoreHarness<DeadLetterStore>): void {
  const { open, reopen, closeAll } = tracked(harness);
  afterEach(closeAll);
  const idsOf = async (store: DeadLetterStore) =>
    (await Array.fromAsync(store.list())).map(({ id }) => id);
  const putAll = (store: DeadLetterStore, count: number) =>
    Promise.all(Array.from({ length: count }, (_, n) => store.put(sampleDeadLetter(n))));

  describe(`${harness.name}: dead letters`, () => {
    test("what was put is listed as it was, oldest first", async () => {
      const store = await open();
      expect(await storedLetters(store)).toEqual([]);
      for (const n of [3, 1, 2]) await store.put(sampleDeadLetter(n));
      expect(await storedLetters(store)).toEqual([3, 1, 2].map((n) => sampleDeadLetter(n)));
    });

    test("many at once keep the order of the calls", async () => {
      const store = await open();
      await putAll(store, 200);
      expect(await idsOf(store)).toEqual(Array.from({ length: 200 }, (_, n) => `dl_${n}`));
    });

    test("the same id twice is one letter, also at once", async () => {
      const store = await open();
      await Promise.all([store.put(sampleDeadLetter(1)), store.put(sampleDeadLetter(1))]);
      await store.put(sampleDeadLetter(1));
      expect(await idsOf(store)).toEqual(["dl_1"]);
    });

    test("a newer letter of the same id takes the older one's place", async () => {
      const store = await open();
      await putAll(store, 3);
      const again = { ...sampleDeadLetter(1, "other"), attempts: 6 };
      await Promise.all([store.put(sampleDeadLetter(1)), store.put(again)]);
      expect(await storedLetters(store)).toEqual([sampleDeadLetter(0), again, sampleDeadLetter(2)]);
      expect(await store.get("dl_1")).toEqual(again);
      expect(await store.get("dl_99")).toBeNull();
      expect([undefined, 3]).toContain(store.size);
    });

    test("a list goes on after any letter of it, also where that is gone meanwhile", async () => {
      const store = await open();
      await putAll(store, 6);
      const listed = await Array.fromAsync(store.list());
      expect(listed[0]).toEqual({ ...summaryOf(sampleDeadLetter(0)), position: expect.anything() });
      const rest = await Array.fromAsync(store.list(listed[2]?.position));
      expect(rest).toEqual(listed.slice(3));
      expect(await Array.fromAsync(store.list(listed[5]?.position))).toEqual([]);
      const long = { ...sampleDeadLetter(9), last_error: "x".repeat(100_000) };
      await store.put(long);
      const [last] = await Array.fromAsync(store.list(listed[5]?.position));
      expect(JSON.stringify(last).length).toBeLessThan(1_024);
      expect(await store.get("dl_9")).toEqual(long);
    });

    test("what was removed is gone; unknown ids are ignored; it may be put again", async () => {
      const store = await open();
      await putAll(store, 5);
      await store.remove(["dl_1", "dl_3", "dl_99", "dl_1"]);
      expect(await idsOf(store)).toEqual(["dl_0", "dl_2", "dl_4"]);
      await store.remove([]);
      await store.put(sampleDeadLetter(1));
      expect(await idsOf(store)).toEqual(["dl_0", "dl_2", "dl_4", "dl_1"]);
      expect((await storedLetters(store))[3]).toEqual(sampleDeadLetter(1));
    });

    test("put and removed again and again, it holds what is left", async () => {
      const store = await open();
      for (let n = 0; n < 60; n++) {
        await store.put(sampleDeadLetter(n, "x".repeat(5_000)));
        if (n % 10 !== 0) await store.remove([`dl_${n}`]);
      }
      expect(await idsOf(store)).toEqual(["dl_0", "dl_10", "dl_20", "dl_30", "dl_40", "dl_50"]);
      expect((await storedLetters(store))[5]).toEqual(sampleDeadLetter(50, "x".repeat(5_000)));
    });

    if (harness.reopen === undefined) return;

    test("what was put and removed survives the death of the process", async () => {
      const store = await open();
      await putAll(store, 20);
      await store.remove(["dl_0", "dl_19"]);
      await store.put({ ...sampleDeadLetter(7), attempts: 9 });
      await store.put(sampleDeadLetter(7));
      const again = await reopen(store);
      expect([undefined, 18]).toContain(again.size);
      expect(await storedLetters(again)).toEqual(
        Array.from({ length: 18 }, (_, n) => sampleDeadLetter(n + 1)),
      );
      await again.put(sampleDeadLetter(20));
      expect(await idsOf(await reopen(again))).toContain("dl_20");
    });
  });
}
