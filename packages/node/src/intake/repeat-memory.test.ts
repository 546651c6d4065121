import { openFileBus } from "@orgloop/bus/file";
import {
  bodyHash,
  formatMark,
  type Published,
  parseMark,
  publicationOf,
  repeatMark,
} from "@orgloop/engine";
import type { OrgLoopEvent } from "@orgloop/sdk";
import { type CrashFileSystem, crashFileSystem, seeded } from "@orgloop/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type OpenRepeatMemory, openRepeatMemory } from "./repeat-memory.ts";

const NOW_MS = 1_700_000_000_000;

function marked(n: number): Published {
  const event: OrgLoopEvent = {
    id: `evt_${n}`,
    timestamp: "2026-01-01T00:00:00.000Z",
    source: "s",
    type: "resource.changed",
    provenance: { platform: "test" },
    payload: { n, text: "x".repeat(100) },
    trace_id: "trc_1",
  };
  const mark = repeatMark("s\0" + "0", event.id, bodyHash(event.payload), NOW_MS + n * 1_000);
  return publicationOf(event, formatMark(mark));
}

/** The two that know repeats over a restart, as a process opens them. */
async function open(disk: CrashFileSystem, said: string[] = []) {
  const memory = await openRepeatMemory({
    dir: "data/repeats",
    fileSystem: disk.fileSystem,
    warn: (message) => void said.push(message),
  });
  const bus = await openFileBus({
    dir: "data/wal",
    fileSystem: disk.fileSystem,
    lock: disk.lock,
    rotate: { maxBytes: 2_000 },
    now: () => NOW_MS,
    notes: {
      through: memory.through,
      onNote: (mark) => memory.load(mark, { settled: true }),
      keep: memory.flush,
    },
  });
  for (const { once = "" } of (await bus.unacked()) as Published[]) {
    memory.load(once, { settled: false });
  }
  return { memory, bus };
}

function knows(memory: OpenRepeatMemory, { once = "" }: Published): boolean {
  const mark = parseMark(once);
  return mark !== null && memory.table.find(mark) !== null;
}

/** Publishes and acks until the machine dies or all is done; `durable` gets what was promised. */
async function work(
  disk: CrashFileSystem,
  first: number,
  random: () => number,
  durable: Set<number>,
) {
  const { memory, bus } = await open(disk);
  for (let round = 0; round < 12; round += 1) {
    const numbers = Array.from({ length: 4 }, (_, at) => first + round * 4 + at);
    await Promise.all(
      numbers.map(async (n) => {
        const held = marked(n);
        await bus.publish(held);
        durable.add(n);
        if (random() < 0.15) return;
        const mark = parseMark(held.once ?? "");
        if (mark !== null) {
          memory.table.add(mark, 0);
          memory.keep(mark);
        }
        await bus.ack(held.id, held.once);
      }),
    );
  }
  await bus.close();
  await memory.close();
}

test("whatever crashes when, what was published is known again: it is in the log, or in the store of repeats", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      fc.array(fc.integer({ min: 10, max: 400 }), { minLength: 1, maxLength: 4 }),
      async (seed, crashes) => {
        const random = seeded(seed);
        const durable = new Set<number>();
        let disk = crashFileSystem();
        for (const [run, at] of crashes.entries()) {
          disk.crashAt = disk.operations + at;
          await Promise.race([work(disk, run * 1_000, random, durable), disk.crashed]);
          disk = disk.crash(random);
        }
        const said: string[] = [];
        const { memory, bus } = await open(disk, said);
        const forgotten = [...durable].filter((n) => !knows(memory, marked(n)));
        expect(forgotten).toEqual([]);
        // A torn tail is cut; nothing else is ever said to be wrong.
        expect(said.filter((message) => !message.endsWith("no loss"))).toEqual([]);
        await bus.close();
        await memory.close();
      },
    ),
    { numRuns: 40 },
  );
});

test("a source that began anew has another life, over a restart, too", async () => {
  const disk = crashFileSystem();
  const first = await open(disk);
  const before = first.memory.saltOf("hub");
  await first.memory.forget("hub");
  const after = first.memory.saltOf("hub");
  expect(after).not.toBe(before);
  const second = await open(disk.crash(seeded(7)));
  expect(second.memory.saltOf("hub")).toBe(after);
  expect(second.memory.saltOf("other")).toBe("other\0" + "0");
});

test("a disk that is full forgets nothing while the process runs, and is told of once", async () => {
  const disk = crashFileSystem();
  const said: string[] = [];
  const { memory } = await open(disk, said);
  const marks = Array.from({ length: 50 }, (_, n) => parseMark(marked(n).once ?? ""));
  disk.fault = ({ kind, path }) =>
    kind === "write" && path.includes("repeats") ? { code: "ENOSPC", written: 10 } : null;
  for (const mark of marks) {
    if (mark !== null && memory.table.add(mark, 0)) memory.keep(mark);
    await memory.flush(1);
  }
  expect(said).toHaveLength(1);
  expect(marked(3)).toSatisfy((one: Published) => knows(memory, one));
  disk.fault = null;
  await memory.flush(2);
  const { memory: next } = await open(disk.restart());
  for (let n = 0; n < 50; n += 1) expect(knows(next, marked(n))).toBe(true);
});

test.each(["from the log", "from the store of repeats"])(
  "an id that came again when its window was over begins another, over a restart, too: %s",
  async (where) => {
    const disk = crashFileSystem();
    const { memory } = await open(disk);
    const first = parseMark(marked(1).once ?? "");
    if (first === null) throw new Error("no mark");
    const again = { ...first, body: first.body + 1, at: first.at + 100 };
    const isKept = where === "from the store of repeats";
    // The older may be settled last: its actor was ill for longer than the window.
    for (const mark of isKept ? [again, first] : [first]) memory.keep(mark);
    await memory.flush(1);
    const { memory: next } = await open(disk.restart());
    if (!isKept) next.load(formatMark(again), { settled: true });
    expect(next.table.find(first)).toEqual(again);
    expect(next.table.size).toBe(1);
  },
);
