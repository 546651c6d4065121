import { mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogEntry } from "@orgloop/sdk";
import { type CrashFileSystem, crashFileSystem, testEvent } from "@orgloop/testkit";
import { expect, test, vi } from "vitest";
import { type FileBus, type FileBusOptions, openFileBus } from "./index.ts";

type TestEvent = ReturnType<typeof testEvent>;

interface Opened {
  readonly bus: FileBus;
  readonly entries: LogEntry[];
  /** Calls back what waits for time to pass. */
  readonly tick: () => void;
}

async function opened(
  disk: CrashFileSystem,
  options: Partial<FileBusOptions> = {},
): Promise<Opened> {
  const entries: LogEntry[] = [];
  const timers = new Set<() => void>();
  const { fileSystem, lock } = disk;
  const bus = await openFileBus({
    dir: "/wal",
    fileSystem,
    lock,
    onEvent: (entry) => entries.push(entry),
    setTimer: (callback) => {
      timers.add(callback);
      return () => timers.delete(callback);
    },
    ...options,
  });
  const tick = () => {
    for (const timer of [...timers]) timer();
  };
  return { bus, entries, tick };
}

/** Until the disk has nothing to do. */
async function quiet(disk: CrashFileSystem): Promise<void> {
  for (let before = -1; before !== disk.operations; ) {
    before = disk.operations;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const idsOf = async (bus: FileBus) => (await bus.unacked()).map(({ id }) => id);
const names = (disk: CrashFileSystem) =>
  [...disk.files().keys()]
    .map((path) => path.replace("/wal/", ""))
    .filter((name) => name !== "high-water")
    .sort();
const events = (count: number) => Array.from({ length: count }, () => testEvent());

test("a second opener is refused by name, and may come when the first has closed", async () => {
  const dir = await mkdtemp(join(tmpdir(), "orgloop-"));
  const bus = await openFileBus({ dir });
  await expect(openFileBus({ dir })).rejects.toMatchObject({
    code: "LOCKED",
    message: expect.stringMatching(new RegExp(`${dir}.*process ${process.pid} `)),
  });
  await bus.close();
  await (await openFileBus({ dir })).close();
});

test("the log is lines of JSON that a person can read", async () => {
  const dir = await mkdtemp(join(tmpdir(), "orgloop-"));
  const bus = await openFileBus({ dir, now: () => 1_000 });
  const event = testEvent();
  await bus.publish(event);
  await bus.settle(event.id, "route-1");
  await bus.ack(event.id);
  await bus.close();
  const [name] = (await readdir(dir)).filter((each) => each.endsWith(".jsonl"));
  const lines = (await readFile(join(dir, name as string), "utf8")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { seq: 1, batch: 1, open: 1, at: 1_000 },
    { seq: 2, batch: 2, event, at: 1_000, open: 1 },
    { seq: 3, batch: 3, settle: 2, route: "route-1" },
    { seq: 4, batch: 4, ack: 2 },
    { seq: 5, batch: 5, close: 1, at: 1_000, unsettled: [] },
  ]);
});

test("everything that waits is one write and one sync", async () => {
  const disk = crashFileSystem();
  const { bus } = await opened(disk);
  const kinds: string[] = [];
  disk.fault = ({ kind }) => {
    kinds.push(kind);
    return null;
  };
  await Promise.all(events(100).map((event) => bus.publish(event)));
  expect(kinds).toEqual(["write", "sync"]);
});

test("a full disk refuses publishes with its own code, keeps acks, and heals", async () => {
  const disk = crashFileSystem();
  const { bus, entries, tick } = await opened(disk);
  const [first, second] = events(2) as [ReturnType<typeof testEvent>, ReturnType<typeof testEvent>];
  await bus.publish(first);
  disk.capacity = 0;
  let acked = false;
  const ack = bus.ack(first.id).then(() => {
    acked = true;
  });
  await expect(bus.publish(second)).rejects.toMatchObject({ code: "ENOSPC" });
  await expect(bus.publish(second)).rejects.toMatchObject({ code: "ENOSPC" });
  expect(acked).toBe(false);
  expect(entries.filter(({ phase }) => phase === "system.error")).not.toEqual([]);
  const later = await opened(disk.crash(() => 0.9));
  expect(await idsOf(later.bus)).toEqual([first.id]);

  const again = crashFileSystem();
  const healing = await opened(again);
  await healing.bus.publish(first);
  again.capacity = 0;
  const pending = healing.bus.ack(first.id);
  await quiet(again);
  again.capacity = Number.POSITIVE_INFINITY;
  healing.tick();
  await pending;
  await healing.bus.publish(second);
  const after = await opened(again.crash(() => 0));
  expect(await idsOf(after.bus)).toEqual([second.id]);
  tick();
  void ack;
});

test("a full disk heals by itself when what fills it is settled", async () => {
  const disk = crashFileSystem();
  const { bus } = await opened(disk, { rotate: { maxBytes: 500 } });
  const old = events(4);
  for (const event of old) await bus.publish(event);
  disk.capacity = [...disk.files().values()].reduce((sum, { length }) => sum + length, 0) + 400;
  await expect(
    bus.publish(testEvent({ payload: { text: "x".repeat(900) } })),
  ).rejects.toMatchObject({ code: "ENOSPC" });
  for (const event of old) await bus.ack(event.id);
  await quiet(disk);
  await bus.publish(testEvent({ payload: { text: "x".repeat(900) } }));
});

test.each(["ENOSPC", "EDQUOT", "EIO"])(
  "a write that fails with %s halfway leaves nothing behind",
  async (code) => {
    const disk = crashFileSystem();
    const { bus } = await opened(disk);
    const [kept, refused, later] = events(3) as ReturnType<typeof events>;
    await bus.publish(kept as never);
    disk.fault = ({ kind }) => {
      if (kind !== "write") return null;
      disk.fault = null;
      return { code, written: 100 };
    };
    await expect(bus.publish(refused as never)).rejects.toMatchObject({ code });
    await bus.publish(later as never);
    const after = await opened(disk.crash(() => 0.99));
    expect(await idsOf(after.bus)).toEqual([kept?.id, later?.id]);
    expect(after.entries.filter(({ phase }) => phase === "wal.repair")).toEqual([]);
  },
);

test("a failed sync is final: it is not tried again, and everything is rejected", async () => {
  const disk = crashFileSystem();
  const { bus } = await opened(disk);
  const [first, second] = events(2) as ReturnType<typeof events>;
  await bus.publish(first as never);
  let syncs = 0;
  disk.fault = ({ kind }) => {
    if (kind !== "sync") return null;
    syncs += 1;
    return { code: "EIO" };
  };
  const failed = expect.objectContaining({ code: "WAL_FAILED" });
  await expect(bus.publish(second as never)).rejects.toEqual(failed);
  expect(await bus.failed).toEqual(failed);
  await expect(bus.publish(testEvent())).rejects.toEqual(failed);
  await expect(bus.ack(first?.id as string)).rejects.toEqual(failed);
  await expect(bus.settle(first?.id as string, "route-1")).rejects.toEqual(failed);
  expect(() => bus.subscribe({}, async () => undefined)).toThrow(failed);
  expect(syncs).toBe(1);
  await bus.close();
});

test("a segment is sealed when it is big enough or old enough, and says so", async () => {
  const disk = crashFileSystem();
  let clock = 0;
  const { bus, entries } = await opened(disk, {
    now: () => clock,
    rotate: { maxBytes: 2_000, maxAgeMs: 3_600_000 },
    compactBelow: 0,
  });
  const rotations = () => entries.filter(({ phase }) => phase === "wal.rotate").length;
  await bus.publish(testEvent());
  clock = 3_599_999;
  await bus.publish(testEvent());
  expect(rotations()).toBe(0);
  clock = 3_600_000;
  await bus.publish(testEvent());
  expect(rotations()).toBe(1);
  await bus.publish(testEvent({ payload: { text: "x".repeat(2_000) } }));
  expect(rotations()).toBe(1);
  await bus.publish(testEvent());
  expect(rotations()).toBe(2);
  await bus.close();
  clock += 3_600_000;
  const { bus: next, entries: later } = await opened(disk, { now: () => clock });
  expect(later.filter(({ phase }) => phase === "wal.rotate")).toHaveLength(1);
  await next.close();
});

test("compaction keeps what is unsettled with its routes and attempts, once, and drops the rest", async () => {
  const disk = crashFileSystem();
  const rotate = { maxBytes: 3_000 };
  const { bus, entries } = await opened(disk, { rotate });
  const all = events(60);
  for (const [index, event] of all.entries()) {
    await bus.publish(event);
    if (index % 10 === 0) await bus.settle(event.id, "route-1");
    else await bus.ack(event.id);
  }
  await quiet(disk);
  expect(entries.filter(({ phase }) => phase === "wal.compact").length).toBeGreaterThan(1);
  expect(names(disk).length).toBeLessThanOrEqual(3);
  const kept = all.filter((_, index) => index % 10 === 0).map(({ id }) => id);
  await bus.close();
  const again = await opened(disk, { rotate });
  const receipts: unknown[] = [];
  again.bus.subscribe({}, async ({ id }, { attempt, settled }) => {
    receipts.push([id, attempt, [...settled]]);
  });
  await quiet(disk);
  expect(receipts).toEqual(kept.map((id) => [id, 2, ["route-1"]]));
  for (const id of kept) await again.bus.ack(id);
  await quiet(disk);
  const names_ = names(disk);
  expect(names_).toHaveLength(2);
  expect(names_[0]).toMatch(/\.settled$/);
});

test("a crash at any operation of rotation and compaction leaves a log that opens and cleans up", async () => {
  const rotate = { maxBytes: 1_200 };
  const all = Array.from({ length: 24 }, (_, index) => testEvent({ id: `evt_${index}` }));
  const expected = all.filter((_, index) => index % 6 === 0).map(({ id }) => id);
  for (let crashAt = 20; ; crashAt += 1) {
    const disk = crashFileSystem();
    const { bus } = await opened(disk, { rotate });
    disk.crashAt = crashAt;
    const done = new Set<string>();
    const work = (async () => {
      for (const [index, event] of all.entries()) {
        await bus.publish(event);
        done.add(event.id);
        if (index % 6 !== 0) await bus.ack(event.id);
      }
      await bus.close();
    })();
    await Promise.race([disk.crashed, work]);
    // Every name that was changed is kept, and no byte that was not synced.
    const next = disk.crash(() => 0.3);
    const again = await opened(next, { rotate });
    const found = await idsOf(again.bus);
    expect(found.filter((id) => expected.includes(id) && done.has(id))).toEqual(
      expected.filter((id) => done.has(id)),
    );
    await again.bus.close();
    expect(names(next).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    if (disk.operations < crashAt) break;
  }
});

test("a failed opening gives the directory free", async () => {
  const disk = crashFileSystem();
  disk.fault = ({ kind }) => (kind === "list" ? { code: "EIO" } : null);
  await expect(opened(disk)).rejects.toMatchObject({ code: "EIO" });
  disk.fault = null;
  const { bus } = await opened(disk);
  await bus.close();
});

test("on a full disk the bus opens with what it has, refuses publishes, and takes up again when there is room", async () => {
  for (const isNew of [true, false]) {
    let disk = crashFileSystem();
    const [held, refused, taken] = events(3) as [TestEvent, TestEvent, TestEvent];
    if (!isNew) {
      const { bus } = await opened(disk);
      await bus.publish(held);
      disk = disk.restart();
    }
    disk.capacity = 0;
    const { bus, tick } = await opened(disk);
    expect(bus.refusal()).toMatchObject({ code: "ENOSPC" });
    const attempts: number[] = [];
    bus.subscribe({}, async ({ id }, { attempt }) => {
      attempts.push(attempt);
      void bus.ack(id);
    });
    await expect(bus.publish(refused)).rejects.toMatchObject({ code: "ENOSPC" });
    await quiet(disk);
    expect(attempts).toEqual(isNew ? [] : [2]);
    disk.capacity = Number.POSITIVE_INFINITY;
    tick();
    await quiet(disk);
    expect(bus.refusal()).toBeNull();
    await bus.publish(taken);
    await bus.close();
    const later = await opened(disk.crash(() => 0));
    expect(await idsOf(later.bus)).toEqual([]);
  }
});

test.each([
  ["removed", (dir: string) => rm(dir, { recursive: true })],
  ["moved", (dir: string) => rename(dir, `${dir}-elsewhere`)],
])("a log whose directory is %s takes nothing more, and says so", async (_, take) => {
  const dir = join(await mkdtemp(join(tmpdir(), "orgloop-")), "wal");
  const bus = await openFileBus({ dir });
  await bus.publish(testEvent());
  await take(dir);
  const looked = async () =>
    expect(await bus.publish(testEvent()).catch((error) => error)).toBeInstanceOf(Error);
  await vi.waitFor(looked, { interval: 1 });
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await expect(bus.publish(testEvent())).rejects.toMatchObject({
      code: "WAL_REMOVED",
      message: expect.stringContaining(dir),
    });
  }
  await bus.close();
});

test("without a descriptor left, a rotation and a compaction wait, and nothing ends", async () => {
  const disk = crashFileSystem();
  const clock = { now: 1_000 };
  const { bus, entries } = await opened(disk, { rotate: { maxBytes: 500 }, now: () => clock.now });
  const all = events(8);
  await bus.publish(all[0] as TestEvent);
  disk.fault = ({ kind, path }) => (kind === "open" && path !== "/wal" ? { code: "EMFILE" } : null);
  for (const event of all.slice(1, 6)) await bus.publish(event);
  for (const { id } of all.slice(0, 6)) await bus.ack(id);
  expect(entries.filter(({ phase }) => phase === "wal.rotate")).toMatchObject([
    { error: expect.stringContaining("EMFILE") },
  ]);
  disk.fault = null;
  clock.now += 1_000;
  await bus.publish(all[6] as TestEvent);
  expect(names(disk).filter((name) => name.endsWith(".jsonl"))).toHaveLength(2);
  expect(await idsOf(bus)).toEqual([all[6]?.id]);
  await bus.close();
});
