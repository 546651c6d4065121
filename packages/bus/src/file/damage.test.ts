import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogEntry } from "@orgloop/sdk";
import { type CrashFileSystem, crashFileSystem, testEvent } from "@orgloop/testkit";
import { beforeAll, expect, test } from "vitest";
import { openFileBus, repairWal, verifyWal, walStats } from "./index.ts";

/** Two segments: three events and an ack each, every line a batch of its own. */
let template: string;
let tail: string;
let sealed: string;
const contents = new Map<string, Buffer>();
const ids = ["evt_1", "evt_2", "evt_3", "evt_4", "evt_5", "evt_6"];
const unsettled = ["evt_1", "evt_3", "evt_4", "evt_6"];

const directory = () => mkdtemp(join(tmpdir(), "orgloop-"));

beforeAll(async () => {
  template = await directory();
  const bus = await openFileBus({ dir: template, rotate: { maxBytes: 700 }, compactBelow: 0 });
  for (const id of ids) {
    await bus.publish(
      testEvent({ id, payload: {}, trace_id: "trc_1", provenance: { platform: "x" } }),
    );
    if (id === "evt_2" || id === "evt_5") await bus.ack(id);
  }
  await bus.close();
  const names = (await readdir(template)).filter((name) => name.endsWith(".jsonl")).sort();
  expect(names).toHaveLength(2);
  [sealed, tail] = names as [string, string];
  for (const name of names) contents.set(name, await readFile(join(template, name)));
});

async function copied(): Promise<string> {
  const dir = await directory();
  for (const name of [sealed, tail]) await cp(join(template, name), join(dir, name));
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

/** The log in memory, one file of it changed: thousands of real ones would take a minute. */
async function inMemory(name: string, bytes: Buffer): Promise<CrashFileSystem> {
  const disk = crashFileSystem();
  for (const each of [sealed, tail]) {
    const file = await disk.fileSystem.open(`/wal/${each}`, "create");
    await file.write(each === name ? bytes : (contents.get(each) as Buffer), 0);
  }
  return disk;
}

const linesOf = async (name: string) => (await readFile(join(template, name), "utf8")).split("\n");

test("a whole log opens with what is unsettled, and verifies", async () => {
  const dir = await copied();
  expect(await verifyWal(dir)).toMatchObject({ segments: 2, lines: 10, problems: [] });
  expect(await walStats(dir)).toMatchObject({ segments: 2, events: 6, unsettled: 4 });
  expect(await opened(dir)).toEqual({ ids: unsettled, cut: [] });
});

test("the last segment cut off at any byte opens with every whole line, and says so", async () => {
  const bytes = await readFile(join(template, tail));
  const dir = await copied();
  for (let size = 0; size < bytes.length; size += 1) {
    const whole = bytes.toString("utf8", 0, bytes.subarray(0, size).lastIndexOf(0x0a) + 1);
    const expected = ids.filter((id, index) =>
      index < 3
        ? id !== "evt_2"
        : whole.includes(`"${id}"`) && !(id === "evt_5" && whole.includes('"ack"')),
    );
    const cuts = size > 0 && bytes[size - 1] !== 0x0a ? 1 : 0;
    const results = [await opened("/wal", await inMemory(tail, bytes.subarray(0, size)))];
    if (size % 41 === 0) {
      await writeFile(join(dir, tail), bytes.subarray(0, size));
      results.push(await opened(dir));
    }
    for (const result of results) {
      expect(result, `cut at byte ${size}`).toMatchObject({ ids: expected });
      expect((result as { cut: LogEntry[] }).cut).toHaveLength(cuts);
    }
  }
}, 30_000);

test("a flipped bit at any byte is refused or, in the very last line, cut and said", async () => {
  for (const name of [sealed, tail]) {
    const bytes = await readFile(join(template, name));
    const lastLine = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      const disk = await inMemory(name, changed);
      const { problems } = await verifyWal("/wal", disk);
      expect(problems.length, `${name} byte ${at}`).toBeGreaterThan(0);
      const result = await opened("/wal", disk);
      if (name === tail && at >= lastLine) {
        expect(result).toMatchObject({
          ids: unsettled.slice(0, 3),
          cut: [{ phase: "wal.repair" }],
        });
        expect(problems[0]?.kind).toBe("torn");
      } else expect(result, `${name} byte ${at}`).toBe("WAL_CORRUPT");
    }
  }
}, 30_000);

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
  const bad = lines[1]?.replace("evt_1", "evt_9");
  await writeFile(join(dir, sealed), lines.with(1, bad as string).join("\n"));
  const shown = await repairWal(dir);
  expect(shown).toMatchObject({
    applied: false,
    actions: [expect.stringContaining(tail), expect.stringContaining(sealed)],
  });
  expect(shown.problems[0]?.loses).toContain("evt_9");
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

  const torn = await copied();
  await truncate(join(torn, tail), (await readFile(join(torn, tail))).length - 3);
  await repairWal(torn, { apply: true });
  expect((await readdir(torn)).filter((name) => name.endsWith(".corrupt"))).toEqual([
    `${tail}.corrupt`,
  ]);
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
