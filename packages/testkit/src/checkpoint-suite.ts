import type { CheckpointStore } from "@orgloop/sdk";
import { afterEach, describe, expect, test } from "vitest";
import { type StoreHarness, tracked } from "./store-harness.ts";

const IDS = ["github", "team/github", "a%2Fb", "..", ".hidden", "é 😀", "UPPER", "x".repeat(300)];

/**
 * The laws of {@link CheckpointStore}; the survival of a crash where the harness can reopen.
 *
 * @example
 * checkpointSuite({ name: "memory", open: async () => memoryCheckpoints() });
 */
export function checkpointSuite(harness: StoreHarness<CheckpointStore>): void {
  const { open, reopen, closeAll } = tracked(harness);
  afterEach(closeAll);

  describe(`${harness.name}: checkpoints`, () => {
    test("null where none was ever set", async () => {
      expect(await (await open()).get("github")).toBeNull();
    });

    test("the last one set is read, whatever text it is", async () => {
      const store = await open();
      for (const checkpoint of ["1", "", '{"a":"b"}', "line\nline\0é😀", "x".repeat(100_000)]) {
        await store.set("github", checkpoint);
        expect(await store.get("github")).toBe(checkpoint);
      }
    });

    test("each source has its own, whatever its id", async () => {
      const store = await open();
      for (const id of IDS) await store.set(id, `checkpoint of ${id}`);
      for (const id of IDS) expect(await store.get(id)).toBe(`checkpoint of ${id}`);
    });

    test("of several set at once the last call wins", async () => {
      const store = await open();
      await Promise.all(Array.from({ length: 20 }, (_, n) => store.set("github", String(n))));
      expect(await store.get("github")).toBe("19");
    });

    test("what was deleted was never set, whatever is under way; others keep theirs", async () => {
      const store = await open();
      await store.delete("github");
      await store.set("other", "kept");
      await Promise.all([store.set("github", "1"), store.delete("github")]);
      expect(await store.get("github")).toBeNull();
      expect(await store.get("other")).toBe("kept");
      await Promise.all([store.delete("github"), store.set("github", "2")]);
      expect(await store.get("github")).toBe("2");
    });

    if (harness.reopen === undefined) return;

    test("what was set survives the death of the process", async () => {
      const store = await open();
      for (const id of IDS) await store.set(id, id);
      const again = await reopen(store);
      for (const id of IDS) expect(await again.get(id)).toBe(id);
      await again.set("github", "later");
      const third = await reopen(again);
      expect(await third.get("github")).toBe("later");
      await third.delete("github");
      expect(await (await reopen(third)).get("github")).toBeNull();
    });
  });
}
