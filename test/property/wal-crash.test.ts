import { openFileBus, verifyWal } from "@orgloop/bus/file";
import type { LogEntry } from "@orgloop/sdk";
import fc from "fast-check";
import { expect, test } from "vitest";
import { WalModel } from "./wal-model.ts";
import { type Step, steps } from "./wal-steps.ts";

const RUNS = Number(process.env.WAL_RUNS ?? 15_000);
const seed = fc.integer({ min: 1, max: 2 ** 31 - 1 });

/** What once failed, and what mutations of the log were caught by: always run. */
const REGRESSIONS: [Step[], number][] = [
  [
    // A disk that fills up while publishes are under way, and a publish that comes again.
    [
      { do: "publish", count: 4, size: 78, source: 0 },
      { do: "publish", count: 4, size: 34, source: 0 },
      { do: "ticks", count: 9 },
      { do: "settle", pick: 0, route: 0 },
      { do: "ack", pick: 0 },
      { do: "quiet" },
      { do: "full", room: 501 },
      { do: "publish", count: 3, size: 0, source: 0 },
      { do: "ticks", count: 28 },
      { do: "publishAgain", pick: 927 },
      { do: "publish", count: 1, size: 0, source: 0 },
    ],
    1,
  ],
  [
    // The index lists an event whose ack came later, and whose segment is gone.
    [
      { do: "publish", count: 2, size: 296, source: 0 },
      { do: "crash", after: 1 },
      { do: "ack", pick: 0 },
      { do: "quiet" },
      { do: "publish", count: 1, size: 0, source: 0 },
    ],
    1,
  ],
];

test("whatever crashes, what was acknowledged is read back, and opening never refuses", async () => {
  let runs = 0;
  let powerCuts = 0;
  await fc.assert(
    fc.asyncProperty(steps, seed, async (all, disk) => {
      const model = new WalModel(disk);
      await model.run(all);
      runs += 1;
      powerCuts += model.disk.powerCuts;
    }),
    { numRuns: RUNS, examples: REGRESSIONS },
  );
  console.log(`wal-crash: ${runs} random histories, ${powerCuts} power cuts`);
});

test("a flipped bit anywhere is refused or reported, never lost in silence", async () => {
  let refused = 0;
  let cut = 0;
  await fc.assert(
    fc.asyncProperty(
      steps,
      seed,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.nat({ max: 7 }),
      async (all, disk, place, bit) => {
        const model = new WalModel(disk);
        await model.run(all);
        await model.close();
        const after = model.disk.restart();
        const expected = model.events();
        const logs = [...after.files()].filter(([path]) => path.endsWith(".jsonl"));
        let at = Math.floor(place * logs.reduce((sum, [, { length }]) => sum + length, 0));
        const file = logs.find(([, { length }]) => {
          if (at < length) return true;
          at -= length;
          return false;
        });
        if (file === undefined) return;
        after.tamper(file[0], (bytes) =>
          bytes.fill((bytes[at] as number) ^ (1 << bit), at, at + 1),
        );
        const { problems } = await verifyWal("/wal", after);
        expect(problems).not.toEqual([]);
        const entries: LogEntry[] = [];
        const { fileSystem, lock } = after;
        const onEvent = (entry: LogEntry) => entries.push(entry);
        try {
          const bus = await openFileBus({ dir: "/wal", fileSystem, lock, onEvent });
          cut += 1;
          expect(entries.some(({ phase }) => phase === "wal.repair")).toBe(true);
          const found = await bus.unacked();
          for (const event of found) {
            const known = expected.find(({ id }) => id === event.id);
            if (known !== undefined) expect(event).toEqual(known);
          }
          await bus.close();
        } catch (error) {
          if ((error as { code?: string }).code !== "WAL_CORRUPT") throw error;
          refused += 1;
        }
      },
    ),
    { numRuns: RUNS / 5 },
  );
  console.log(`wal-crash: ${refused} flipped bits refused, ${cut} cut off and reported`);
});
