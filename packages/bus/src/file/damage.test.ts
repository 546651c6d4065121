import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogEntry } from "@orgloop/sdk";
import { type CrashFileSystem, crashFileSystem, testEvent } from "@orgloop/testkit";
import { beforeAll, expect, test } from "vitest";
import { openFileBus, repairWal, verifyWal, walStats } from "./index.ts";

/** Two segments, closed: three events and an ack each, every line a batch of its own. */
let template: string;
let tail: string;
let sealed: string;
type Contents = ReadonlyMap<string, Buffer>;
let closed: Contents;
/** The same at the moment of the last answer, before anything was written that nobody waits for. */
let killed: Contents;
const ids = ["evt_1", "evt_2", "evt_3", "evt_4", "evt_5", "evt_6"];
const unsettled = ["evt_1", "evt_3", "evt_4", "evt_6"];

const directory = () => mkdtemp(join(tmpdir(), "orgloop-"));

async function contentsOf(dir: string): Promise<Contents> {
  const names = (await readdir(dir)).filter((name) => !name.startsWith("lock")).sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(dir, name))] as const)),
  );
}

beforeAll(async () => {
  template = await directory();
  let clock = 1_000;
  // The mark of what was synced is never written by time: it is what a kill right away leaves.
  const setTimer = () => () => {};
  const bus = await openFileBus({ dir: template, now: () => clock, compactBelow: 0, setTimer });
  for (const id of ids) {
    if (id === "evt_4") clock += 3_600_000;
    await bus.publish(
      testEvent({ id, payload: {}, trace_id: "trc_1", provenance: { platform: "x" } }),
    );
    if (id === "evt_2" || id === "evt_5") await bus.ack(id);
  }
  killed = await contentsOf(template);
  await bus.close();
  closed = await contentsOf(template);
  const names = [...closed.keys()].filter((name) => name.endsWith(".jsonl"));
  expect(names).toHaveLength(2);
  [sealed, tail] = names as [string, string];
});

async function copied(contents: Contents = closed): Promise<string> {
  const dir = await directory();
  for (const [name, bytes] of contents) await writeFile(join(dir, name), bytes);
  return dir;
}

/** Opens the log and says what is in it; the code where it refuses. */
async function opened(
  dir: string,
  { fileSystem, lock }: Partial<CrashFileSystem> = {},
): Promise<{ ids: string[]; cut: LogEntry[] } | string> {
  const cut: LogEntry[] = [];
  try {
    const bus = await openFileBus({
      dir,
      compactBelow: 0,
      ...(fileSystem === undefined || lock === undefined ? {} : { fileSystem, lock }),
      onEvent: (entry) => {
        if (entry.phase === "wal.repair") cut.push(entry);
      },
    });
    const found = (await bus.unacked()).map(({ id }) => id);
    await bus.close();
    return { ids: found, cut };
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** A log in memory, one file of it changed: thousands of real ones would take a minute. */
async function inMemory(contents: Contents, name: string, bytes: Buffer): Promise<CrashFileSystem> {
  const disk = crashFileSystem();
  for (const [each, own] of contents) {
    const file = await disk.fileSystem.open(`/wal/${each}`, "create");
    await file.write(each === name ? bytes : own, 0);
  }
  return disk;
}

const linesOf = async (name: string) => (await readFile(join(template, name), "utf8")).split("\n");

test("a whole log opens with what is unsettled, and verifies", async () => {
  const dir = await copied();
  expect(await verifyWal(dir)).toMatchObject({ segments: 2, lines: 11, problems: [], kept: [] });
  expect(await walStats(dir)).toMatchObject({ segments: 2, events: 6, unsettled: 4 });
  expect(await opened(dir)).toEqual({ ids: unsettled, cut: [] });
});

test("after a kill, the last segment cut off in what nobody has seen synced opens with every whole line", async () => {
  const bytes = killed.get(tail) as Buffer;
  const synced = bytes.indexOf(0x0a, bytes.indexOf(0x0a) + 1) + 1;
  for (let size = 0; size < bytes.length; size += 1) {
    const whole = bytes.toString("utf8", 0, bytes.subarray(0, size).lastIndexOf(0x0a) + 1);
    const expected = ids.filter((id, index) =>
      index < 3
        ? id !== "evt_2"
        : whole.includes(`"${id}"`) && !(id === "evt_5" && whole.includes('"ack"')),
    );
    const disk = await inMemory(killed, tail, bytes.subarray(0, size));
    const result = await opened("/wal", disk);
    if (size < synced) {
      expect(result, `cut at byte ${size}`).toBe("WAL_CORRUPT");
      continue;
    }
    const cut = bytes.subarray(whole.length, size);
    expect(result, `cut at byte ${size}`).toMatchObject({ ids: expected });
    const kept = [...disk.files()].filter(([path]) => path.includes(".cut-"));
    expect(kept.map(([, content]) => content.toString())).toEqual(
      cut.length > 0 ? [cut.toString()] : [],
    );
    expect((result as { cut: LogEntry[] }).cut).toMatchObject(
      kept.map(([path]) => ({ metadata: { kept: path.replace("/wal/", "") } })),
    );
    expect((await verifyWal("/wal", disk)).kept).toHaveLength(kept.length);
  }
}, 120_000);

test("after a clean stop, a segment cut off, emptied or removed is refused and named", async () => {
  for (const name of [sealed, tail]) {
    const bytes = closed.get(name) as Buffer;
    for (let size = 0; size < bytes.length; size += 1) {
      const disk = await inMemory(closed, name, bytes.subarray(0, size));
      const { problems } = await verifyWal("/wal", disk);
      expect(problems[0], `${name} cut at byte ${size}`).toMatchObject({ file: name });
      expect(await opened("/wal", disk), `${name} cut at byte ${size}`).toBe("WAL_CORRUPT");
    }
    const disk = await inMemory(closed, name, bytes);
    disk.tamper(`/wal/${name}`, () => null);
    expect((await verifyWal("/wal", disk)).problems[0]?.kind).toBe("missing");
    expect(await opened("/wal", disk)).toBe("WAL_CORRUPT");
  }
}, 120_000);

test("a flipped bit at any byte is refused and named, also in the last batch before a kill, and a repair puts it right", async () => {
  for (const contents of [closed, killed]) {
    for (const name of [sealed, tail]) {
      const bytes = contents.get(name) as Buffer;
      for (let at = 0; at < bytes.length; at += 1) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] as number) ^ (1 << (at % 8));
        const disk = await inMemory(contents, name, changed);
        const { problems } = await verifyWal("/wal", disk);
        expect(problems, `${name} byte ${at}`).toMatchObject([{ kind: "corrupt", file: name }]);
        expect(await opened("/wal", disk), `${name} byte ${at}`).toBe("WAL_CORRUPT");
        if (at % 5 !== 0) continue;
        const { problems: repaired } = await repairWal("/wal", { ...disk, apply: true });
        expect(repaired[0]?.lost, `${name} byte ${at}`).toEqual([]);
        expect((await verifyWal("/wal", disk)).problems, `${name} byte ${at}`).toEqual([]);
        expect(await opened("/wal", disk)).toEqual({ ids: unsettled, cut: [] });
      }
    }
  }
}, 120_000);

test("what stands behind the closing record was not written by the process that closed the log", async () => {
  const bytes = closed.get(tail) as Buffer;
  for (const more of ["\0".repeat(600), "{", "garbage\n", closed.get(sealed)?.toString() ?? ""]) {
    const disk = await inMemory(closed, tail, Buffer.concat([bytes, Buffer.from(more)]));
    expect(await opened("/wal", disk)).toBe("WAL_CORRUPT");
    expect((await repairWal("/wal", { ...disk, apply: true })).problems[0]?.lost).toEqual([]);
    expect(await opened("/wal", disk)).toMatchObject({ ids: unsettled });
  }
});

test("zeroes over the end of a line name both events", async () => {
  const bytes = closed.get(sealed) as Buffer;
  const end = bytes.indexOf("\n", bytes.indexOf("evt_1"));
  const disk = await inMemory(closed, sealed, Buffer.from(bytes).fill(0, end - 20, end + 60));
  const { problems } = await verifyWal("/wal", disk);
  expect(problems).toMatchObject([{ kind: "corrupt", line: 2, eventId: "evt_1" }]);
  // The second one is done with: only the first is lost.
  expect(problems[0]?.lost).toMatchObject([{ number: 2, eventId: "evt_1" }]);
  const third = bytes.indexOf("\n", bytes.indexOf("evt_3"));
  expect(third).toBe(bytes.length - 1);
  const next = closed.get(tail) as Buffer;
  const inTail = next.indexOf("\n", next.indexOf("evt_5"));
  const both = await inMemory(closed, tail, Buffer.from(next).fill(0, inTail - 300, inTail - 230));
  const found = await verifyWal("/wal", both);
  expect(found.problems[0]?.loses).toMatch(/evt_4.*number \d+/);
});

test("a high-water mark that is gone or unreadable is refused, and a repair makes it anew", async () => {
  for (const change of [() => null, () => Buffer.alloc(0), () => Buffer.alloc(1_024, "x")]) {
    const disk = await inMemory(closed, tail, closed.get(tail) as Buffer);
    disk.tamper("/wal/high-water", change);
    expect((await verifyWal("/wal", disk)).problems).toMatchObject([{ file: "high-water" }]);
    expect(await opened("/wal", disk)).toBe("WAL_CORRUPT");
    await repairWal("/wal", { ...disk, apply: true });
    expect(await opened("/wal", disk)).toEqual({ ids: unsettled, cut: [] });
  }
});

test("what stops the start names the place and the way out", async () => {
  const dir = await copied();
  const lines = await linesOf(sealed);
  const offset = Buffer.byteLength(`${lines[0]}\n`);
  await writeFile(join(dir, sealed), lines.join("\n").replace("evt_1", "evt_9"));
  await expect(openFileBus({ dir })).rejects.toMatchObject({
    code: "WAL_CORRUPT",
    message: expect.stringMatching(
      new RegExp(`${sealed}, line 2, byte ${offset}: .*orgloop wal verify.*orgloop wal repair`),
    ),
  });
  const { problems } = await verifyWal(dir);
  expect(problems).toMatchObject([
    { kind: "corrupt", file: sealed, line: 2, offset, eventId: "evt_9" },
  ]);
});

test("a missing line, a missing file, a file from elsewhere are refused", async () => {
  const lines = await linesOf(sealed);
  for (const change of [
    async (dir: string) => rm(join(dir, sealed)),
    async (dir: string) => writeFile(join(dir, sealed), lines.toSpliced(2, 1).join("\n")),
    async (dir: string) => writeFile(join(dir, sealed), lines.toSpliced(-2, 1).join("\n")),
    async (dir: string) => writeFile(join(dir, sealed), ""),
    async (dir: string) => cp(join(dir, tail), join(dir, sealed)),
    async (dir: string) => writeFile(join(dir, "0000000000000003-0000000000000009.jsonl"), ""),
  ]) {
    const dir = await copied();
    await change(dir);
    expect(await opened(dir)).toBe("WAL_CORRUPT");
    expect((await verifyWal(dir)).problems).not.toEqual([]);
  }
});

test("repair shows first, then does: bad lines are kept beside, the rest opens", async () => {
  const dir = await copied();
  const lines = await linesOf(sealed);
  const bad = lines[1]?.replace("evt_1", "evt_6");
  await writeFile(join(dir, sealed), lines.with(1, bad as string).join("\n"));
  const shown = await repairWal(dir);
  expect(shown).toMatchObject({
    applied: false,
    actions: [expect.stringContaining(`${sealed}.corrupt`), expect.stringContaining(tail)],
  });
  expect(shown.problems[0]?.loses).toContain("evt_6");
  expect(await opened(dir)).toBe("WAL_CORRUPT");
  expect(await repairWal(dir, { apply: true })).toMatchObject({ applied: true });
  expect(await readFile(join(dir, `${sealed}.corrupt`), "utf8")).toBe(`${bad}\n`);
  expect((await verifyWal(dir)).problems).toEqual([]);
  expect(await opened(dir)).toEqual({ ids: unsettled.slice(1), cut: [] });
});

test("repair of the last segment, of a missing file and of a torn end makes a log that opens", async () => {
  const inTail = await copied();
  const lines = await linesOf(tail);
  await writeFile(join(inTail, tail), lines.with(1, "garbage").join("\n"));
  expect(await opened(inTail)).toBe("WAL_CORRUPT");
  await repairWal(inTail, { apply: true });
  expect(await opened(inTail)).toEqual({ ids: ["evt_1", "evt_3", "evt_6"], cut: [] });

  const gone = await copied();
  await rm(join(gone, sealed));
  await repairWal(gone, { apply: true });
  expect(await opened(gone)).toEqual({ ids: ["evt_4", "evt_6"], cut: [] });

  const torn = await copied(killed);
  await truncate(join(torn, tail), (killed.get(tail) as Buffer).length - 3);
  await repairWal(torn, { apply: true });
  expect((await readdir(torn)).filter((name) => name.includes(".cut-"))).toHaveLength(1);
  expect(await opened(torn)).toEqual({ ids: unsettled.slice(0, 3), cut: [] });
});

test("where there is no log, there is nothing to say", async () => {
  const dir = join(await directory(), "none");
  expect(await verifyWal(dir)).toMatchObject({ segments: 0, problems: [] });
  expect(await walStats(dir)).toMatchObject({ segments: 0, unsettled: 0, oldestAtMs: null });
});

test("damage of what is done with loses nothing", async () => {
  const dir = await copied();
  const lines = await linesOf(sealed);
  await writeFile(join(dir, sealed), lines.with(2, "garbage").join("\n"));
  expect((await verifyWal(dir)).problems[0]?.loses).toBe("nothing: the event is done with");
});
