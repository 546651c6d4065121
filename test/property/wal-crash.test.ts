import fc from "fast-check";
import { test } from "vitest";
import { type Step, steps, WalModel } from "./wal-model.ts";

const RUNS = Number(process.env.WAL_RUNS ?? 4_000);
const seed = fc.integer({ min: 1, max: 2 ** 31 - 1 });

/** Found by this test once; kept. */
const REGRESSIONS: [Step[], number][] = [];

test("whatever crashes, what was acknowledged is read back, and opening never refuses", async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(steps, seed, async (all, disk) => {
      runs += 1;
      await new WalModel(disk).run(all);
    }),
    { numRuns: RUNS, examples: REGRESSIONS },
  );
  console.log(`wal-crash: ${runs} random histories`);
});
