import { CLOSED_BREAKER, type RouteState, type RouteStateStore } from "@orgloop/sdk";
import { afterEach, describe, expect, test } from "vitest";
import { type StoreHarness, tracked } from "./store-harness.ts";

const OPEN: RouteState = {
  breaker: { ...CLOSED_BREAKER, openUntilMs: 1_800_000_000_000, cooldownMs: 30_000 },
  rateMs: null,
};
const RATED: RouteState = { breaker: CLOSED_BREAKER, rateMs: 1_800_000_000_000.5 };

/**
 * The laws of {@link RouteStateStore}; the survival of a crash where the harness can reopen.
 *
 * @example
 * routeStateSuite({ name: "memory", open: async () => memoryRouteStates() });
 */
export function routeStateSuite(harness: StoreHarness<RouteStateStore>): void {
  const { open, reopen, closeAll } = tracked(harness);
  afterEach(closeAll);

  describe(`${harness.name}: route states`, () => {
    test("what was saved is loaded; the last call wins; null forgets", async () => {
      const store = await open();
      expect(await store.load()).toEqual(new Map());
      const names = ["team/a", "__proto__", "é\n😀"];
      await Promise.all(names.map((name) => store.save(name, OPEN)));
      await Promise.all([store.save("team/a", null), store.save("team/a", RATED)]);
      await store.save("é\n😀", null);
      await store.save("never", null);
      expect([...(await store.load())].sort()).toEqual([
        ["__proto__", OPEN],
        ["team/a", RATED],
      ]);
    });

    if (harness.reopen === undefined) return;

    test("it survives the death of the process", async () => {
      const store = await open();
      await store.save("a", OPEN);
      await store.save("b", RATED);
      await store.save("a", { ...OPEN, rateMs: 7 });
      await store.save("b", null);
      const again = await reopen(store);
      expect(await again.load()).toEqual(new Map([["a", { ...OPEN, rateMs: 7 }]]));
    });
  });
}
