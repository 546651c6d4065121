import { type CrashFileSystem, crashFileSystem } from "@orgloop/testkit";
import { describe, expect, test } from "vitest";
import { CheckedLines } from "./checked-lines.ts";

const PATH = "/data/lines.jsonl";
const body = (n: number) => JSON.stringify({ n });

/** What is appended are numbers. */
async function open({ fileSystem }: CrashFileSystem) {
  let numbers: number[] = [];
  const warnings: string[] = [];
  const lines = await CheckedLines.open({
    path: PATH,
    fileSystem,
    begin() {
      numbers = [];
      return (line) => numbers.push(JSON.parse(line.toString()).n);
    },
    upgrade: () => null,
    loss: () => "",
    advice: "Count again",
    warn: (message) => warnings.push(message),
  });
  return { lines, numbers, warnings };
}

async function written(numbers: readonly number[]) {
  const disk = crashFileSystem();
  const { lines } = await open(disk);
  for (const n of numbers) await lines.append([body(n)], { durable: true });
  return { disk, lines };
}

/** Takes the last line off; the number that was in it, null for the first line, which is ours. */
function cutLast(disk: CrashFileSystem): number | null {
  let cut: number | null = null;
  disk.tamper(PATH, (bytes) => {
    const start = bytes.lastIndexOf("\n", -2) + 1;
    cut = JSON.parse(bytes.toString("utf8", start)).n ?? null;
    return bytes.subarray(0, start);
  });
  return cut;
}

interface Killed {
  readonly disk: CrashFileSystem;
  /** The task had resolved: what it did was acknowledged. */
  readonly acknowledged: boolean;
}

/** `task` on a disk of its own, killed at each of its operations, and last not at all. */
async function* killedAtEach(
  make: () => Promise<{ disk: CrashFileSystem; task: () => Promise<unknown> }>,
): AsyncGenerator<Killed> {
  for (let operation = 1; ; operation += 1) {
    const { disk, task } = await make();
    disk.crashAt = disk.operations + operation;
    let acknowledged = false;
    const done = task().then(() => {
      acknowledged = true;
    });
    let killed = false;
    const death = disk.crashed.then(() => {
      killed = true;
    });
    await Promise.race([death, done]);
    // What was begun in its own time, too, and what it lets go on.
    await new Promise((resolve) => setImmediate(resolve));
    yield { disk: disk.restart(), acknowledged };
    if (!killed) return;
  }
}

describe("a last line that is cut off after the process was killed", () => {
  test("is named where its append had resolved; where not, nobody was told of it", async () => {
    const seen = { named: 0, unsaid: 0 };
    const make = async () => {
      const { disk, lines } = await written([0, 1]);
      return { disk, task: () => lines.append([body(2)], { durable: true }) };
    };
    for await (const { disk, acknowledged } of killedAtEach(make)) {
      if (cutLast(disk) !== 2) continue;
      const { numbers, warnings } = await open(disk);
      expect(numbers).toEqual([0, 1]);
      if (acknowledged || warnings.length > 0) {
        expect(warnings).toEqual([expect.stringContaining("the end is missing; lost: one line")]);
        seen.named += 1;
      } else seen.unsaid += 1;
    }
    // Between the line and its mark, and from the mark on.
    expect(seen.unsaid).toBeGreaterThan(0);
    expect(seen.named).toBeGreaterThan(0);
  });

  test.each([
    ["is not named where it was appended without a sync", false, []],
    ["is named after that sync", true, [expect.stringContaining("lost: one line")]],
  ])("%s", async (_, synced, said) => {
    const { disk, lines } = await written([0, 1]);
    await lines.append([body(2)], { durable: false });
    if (synced) await lines.sync();
    const after = disk.restart();
    expect(cutLast(after)).toBe(2);
    const { numbers, warnings } = await open(after);
    expect({ numbers, warnings }).toEqual({ numbers: [0, 1], warnings: said });
  });

  test("is named wherever a rewrite was cut short: it had been acknowledged before", async () => {
    let cuts = 0;
    const make = async () => {
      const { disk, lines } = await written([0, 1, 2, 3]);
      return { disk, task: () => lines.rewrite([body(2), body(3)]) };
    };
    for await (const { disk } of killedAtEach(make)) {
      expect(cutLast(disk)).toBe(3);
      const { numbers, warnings } = await open(disk);
      expect(numbers).not.toContain(3);
      expect(warnings).toEqual([expect.stringContaining("the end is missing; lost: one line")]);
      cuts += 1;
    }
    expect(cuts).toBeGreaterThan(5);
  });

  test("is named wherever the mending of another damage was cut short", async () => {
    const make = async () => {
      const { disk, lines } = await written([0, 1, 2, 3]);
      await lines.close();
      disk.tamper(PATH, (bytes) => Buffer.from(bytes.toString().replace('"n":1', '"n":7')));
      return { disk, task: () => open(disk) };
    };
    for await (const { disk } of killedAtEach(make)) {
      expect(cutLast(disk)).toBe(3);
      const { numbers, warnings } = await open(disk);
      expect(numbers).toEqual([0, 2]);
      expect(warnings.at(-1)).toContain("the end is missing; lost: one line");
    }
  });

  test("is not taken for one where a rewrite failed, and the next has fewer lines", async () => {
    const { disk, lines } = await written([0, 1, 2, 3]);
    disk.fault = ({ kind }) => (kind === "rename" ? { code: "EIO" } : null);
    await expect(lines.rewrite([body(1), body(2), body(3)])).rejects.toMatchObject({ code: "EIO" });
    disk.fault = null;
    const make = async () => ({ disk: disk.restart(), task: async () => {} });
    for await (const { disk: after } of killedAtEach(make)) {
      expect(await open(after)).toMatchObject({ numbers: [0, 1, 2, 3], warnings: [] });
      const again = await open(after.restart());
      await again.lines.rewrite([body(3)]);
      expect(await open(after.restart())).toMatchObject({ numbers: [3] });
    }
  });
});
