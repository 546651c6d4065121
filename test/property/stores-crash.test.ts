import fc from "fast-check";
import { test } from "vitest";
import { STORES, type Step, StoresModel } from "./stores-model.ts";

const RUNS = Number(process.env.STORES_RUNS ?? 1_500);

const keys = fc.uniqueArray(fc.nat({ max: 5 }), { minLength: 1, maxLength: 4 });
const write = fc.record({
  do: fc.constant("write" as const),
  store: fc.constantFrom(...STORES),
  keys,
  value: fc.option(fc.nat({ max: 1_000 }), { freq: 4 }),
  size: fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 40_000 })),
});
const end = fc.record({
  do: fc.constantFrom("kill" as const, "powerCut" as const),
  after: fc.integer({ min: 1, max: 40 }),
});
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: write },
    { weight: 3, arbitrary: end },
    { weight: 1, arbitrary: fc.constant({ do: "stop" as const }) },
    { weight: 1, arbitrary: fc.constant({ do: "failSync" as const }) },
  ),
  { maxLength: 40 },
);

test("whatever crashes, the stores hold what was acknowledged, what is read back stays, and a crash is no damage", async () => {
  let powerCuts = 0;
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 2 ** 31 - 1 }), async (all, seed) => {
      const model = new StoresModel(seed);
      await model.run(all);
      powerCuts += model.disk.powerCuts;
    }),
    { numRuns: RUNS },
  );
  console.log(`stores-crash: ${RUNS} random histories, ${powerCuts} power cuts`);
});
