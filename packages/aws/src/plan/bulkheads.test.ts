import type { Topology } from "@orgloop/sdk";
import { sampleRoute } from "@orgloop/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bulkheadRefusal, bulkheads } from "./bulkheads.ts";

const RESERVED = 100;

/** A stage whose actors have these concurrencies. */
function stage(widths: readonly number[], concurrency?: number) {
  const routes = widths.map((width, at) => {
    const route = sampleRoute(`r${at}`, { concurrency: width });
    return { ...route, then: { ...route.then, actor: `a${at}` } };
  });
  const aws = concurrency === undefined ? undefined : { concurrency };
  const topology = { routes, ...(aws && { aws }) } as Pick<Topology, "routes" | "aws">;
  return bulkheads(
    topology,
    widths.map((_, at) => `a${at}`),
    RESERVED,
  );
}

test("where there is room each actor gets what its routes want", () => {
  const { shares } = stage([16, 1, 100]);
  expect([...shares]).toEqual([
    ["a0", 8],
    ["a1", 2],
    ["a2", 10],
  ]);
});

test("where there is not, each gets the same part of it, and 2 at the least; together no more than there is", () => {
  const widths = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(widths, fc.integer({ min: 300, max: 2_000 }), (all, concurrency) => {
      const made = stage(all, concurrency);
      const shares = [...made.shares.values()];
      for (const share of shares) expect(share).toBeGreaterThanOrEqual(2);
      const sum = shares.reduce((total, share) => total + share, 0);
      if (bulkheadRefusal(made) !== null) return expect(sum).toBe(2 * all.length);
      expect(sum + RESERVED + 100).toBeLessThanOrEqual(concurrency);
      const wanted = [...stage(all, 1_000_000).shares.values()];
      for (const [at, share] of shares.entries()) {
        expect(share).toBeLessThanOrEqual(wanted[at] ?? 0);
      }
    }),
  );
});

test("another actor seldom changes the shares of the others", () => {
  const before = stage(Array(60).fill(64));
  const after = stage(Array(61).fill(64));
  for (const [id, share] of before.shares) expect(after.shares.get(id)).toBe(share);
});

test("what does not fit is refused, with the quota to ask for", () => {
  expect(bulkheadRefusal(stage(Array(399).fill(1)))).toBeNull();
  expect(bulkheadRefusal(stage(Array(400).fill(1)))).toMatch(
    /needs 1002 concurrent .* aws\.concurrency is 1000: .*"Concurrent executions" \(lambda, L-B99A9384\)/,
  );
  expect(bulkheadRefusal(stage(Array(400).fill(1), 1_002))).toBeNull();
});
