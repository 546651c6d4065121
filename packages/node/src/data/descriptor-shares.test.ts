import fc from "fast-check";
import { expect, test } from "vitest";
import { descriptorShares } from "./descriptor-shares.ts";

test("where nobody limits them, or 16,000 may be open, the bounds are the full ones", () => {
  const full = { connections: { most: 4_096, reserve: 64 }, attempts: 2_000 };
  expect(descriptorShares(Number.POSITIVE_INFINITY)).toMatchObject(full);
  expect(descriptorShares(16_000)).toMatchObject(full);
});

test("connections and attempts leave descriptors for files, whatever the limit is", () => {
  fc.assert(
    fc.property(fc.integer({ min: 64, max: 1_000_000 }), (limit) => {
      const { connections, scrapes, attempts } = descriptorShares(limit);
      const sockets = [connections, scrapes].reduce((sum, it) => sum + it.most + it.reserve, 0);
      expect(sockets + 3 * attempts).toBeLessThan(limit * 0.95);
      for (const share of [connections.most, scrapes.most, connections.reserve, attempts]) {
        expect(share).toBeGreaterThan(0);
      }
    }),
  );
});
