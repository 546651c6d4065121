import { openFileBus, repairWal, verifyWal } from "@orgloop/bus/file";
import { hasCode, type OrgLoopEvent } from "@orgloop/sdk";
import { type CrashFileSystem, DAMAGES, damaged, seeded } from "@orgloop/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { WalModel } from "./wal-model.ts";
import { steps } from "./wal-steps.ts";

const RUNS = Number(process.env.WAL_RUNS ?? 3_000);

interface Line {
  readonly seq: number;
  readonly event?: OrgLoopEvent;
  readonly ack?: number;
}

/** What is on the bus at the next start; null where it refuses. */
async function start(disk: CrashFileSystem): Promise<readonly OrgLoopEvent[] | null> {
  const { fileSystem, lock } = disk.restart();
  try {
    const bus = await openFileBus({ dir: "/wal", fileSystem, lock });
    return await bus.unacked();
  } catch (error) {
    if (hasCode(error, "WAL_CORRUPT")) return null;
    throw error;
  }
}

/** The number of each event's line, and of its ack. */
function numbers(disk: CrashFileSystem) {
  const events = new Map<string, number>();
  const acks = new Map<number, number>();
  for (const [path, bytes] of disk.files()) {
    if (!path.endsWith(".jsonl")) continue;
    for (const line of bytes.toString("utf8").split("\n").slice(0, -1)) {
      const { seq, event, ack } = JSON.parse(line) as Line;
      if (event !== undefined) events.set(event.id, seq);
      if (ack !== undefined) acks.set(ack, seq);
    }
  }
  return { events, acks };
}

test("whatever is damaged: verify and start agree, and after a repair exactly what it named is lost", async () => {
  const counts = { harmless: 0, refused: 0, lost: 0, perhaps: 0 };
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      fc.constantFrom(...DAMAGES),
      fc.boolean(),
      async (all, seed, kind, closed) => {
        const model = new WalModel(seed);
        await model.run(all);
        if (closed) await model.close();
        else await model.kill();
        const random = seeded(seed);
        const { disk } = model;
        const expected = model.events();
        const seqs = numbers(disk);
        const paths = [...disk.files().keys()].filter((path) => !path.includes(".cut-"));
        const path = paths[Math.floor(random() * paths.length)] as string;
        disk.tamper(path, (bytes) => damaged(bytes, kind, random));

        const report = await verifyWal("/wal", disk);
        const found = await start(disk);
        const refuses = report.problems.some((problem) => problem.kind !== "torn");
        expect(found === null, `start refuses: ${JSON.stringify(report.problems)}`).toBe(refuses);
        if (found !== null) {
          expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
          counts.harmless += 1;
          return;
        }
        counts.refused += 1;
        const after = disk.restart();
        const repair = await repairWal("/wal", { ...after, apply: true });
        expect(repair.problems).toEqual(report.problems);
        expect(await verifyWal("/wal", after)).toMatchObject({ problems: [] });
        const left = await start(after);
        if (left === null) throw new Error("it does not start after the repair");
        const named = repair.problems.flatMap(({ lost }) => lost);
        const isLost = ({ id }: OrgLoopEvent) => !left.some((event) => event.id === id);
        const names = (event: OrgLoopEvent, { number, eventId }: (typeof named)[number]) =>
          eventId === event.id || number === seqs.events.get(event.id) || number === null;
        for (const event of expected.filter(isLost)) {
          counts.lost += 1;
          expect(named.some((each) => names(event, each))).toBe(true);
        }
        for (const each of named) {
          if (!each.isEvent) counts.perhaps += 1;
          else if (!expected.filter(isLost).some((event) => names(event, each))) {
            // Its ack is lost with it.
            const event = each.number ?? seqs.events.get(each.eventId ?? "") ?? 0;
            const ack = seqs.acks.get(event);
            const unknown = named.filter(({ isEvent }) => !isEvent);
            expect(unknown.some(({ number }) => number === null || number === ack)).toBe(true);
          }
        }
        const again = left.filter(({ id }) => !expected.some((event) => event.id === id));
        const comesAgain = repair.problems.some(({ loses }) => loses.includes("again"));
        if (again.length > 0) expect(comesAgain).toBe(true);
        for (const event of left) {
          const known = expected.find(({ id }) => id === event.id);
          if (known !== undefined) expect(event).toEqual(known);
        }
      },
    ),
    { numRuns: RUNS },
  );
  console.log(`wal-damage: ${JSON.stringify(counts)}`);
});
