import { type CrashFileSystem, crashFileSystem, seeded } from "@orgloop/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CheckedLines } from "./checked-lines.ts";

const PATH = "/data/lines.jsonl";

interface Opened {
  readonly lines: CheckedLines;
  readonly numbers: readonly number[];
  readonly warnings: readonly string[];
}

/** What is appended are numbers. */
async function open({ fileSystem }: CrashFileSystem): Promise<Opened> {
  let numbers: number[] = [];
  const warnings: string[] = [];
  const lines = await CheckedLines.open({
    path: PATH,
    fileSystem,
    begin() {
      numbers = [];
      return (body) => numbers.push(JSON.parse(body.toString()).n);
    },
    upgrade: (line) => (/^\d+$/.test(line) ? JSON.stringify({ n: Number(line) }) : null),
    loss: (bytes) =>
      Array.from(bytes.toString("latin1").matchAll(/"n":(\d+)/g), ([, n]) => `number ${n}`).join(
        ", ",
      ),
    advice: "Count again",
    warn: (message) => warnings.push(message),
  });
  return { lines, numbers, warnings };
}

const body = (n: number, size = 0) => JSON.stringify({ n, text: "x".repeat(size) });
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

/** A file of so many lines, after a clean stop. */
async function stopped(count: number, size = 0): Promise<CrashFileSystem> {
  const disk = crashFileSystem();
  const { lines } = await open(disk);
  for (const n of upTo(count)) await lines.append([body(n, size)], { durable: true });
  await lines.close();
  return disk.crash(seeded(1));
}

/** Every kind of damage that a file may come to, by chance. */
const damages = fc.constantFrom<(bytes: Buffer, random: () => number) => Buffer>(
  (bytes, random) => {
    const bit = Math.floor(random() * bytes.length * 8);
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
    return bytes;
  },
  (bytes, random) => {
    const from = Math.floor(random() * bytes.length);
    return bytes.fill(0, from, Math.min(bytes.length, from + 1 + Math.floor(random() * 100)));
  },
  (bytes, random) => bytes.subarray(0, Math.floor(random() * bytes.length)),
  () => Buffer.alloc(0),
  (bytes, random) => withLines(bytes, (lines) => lines.splice(at(lines, random), 1)),
  (bytes, random) =>
    withLines(bytes, (lines) => lines.splice(at(lines, random), 0, lines[at(lines, random)] ?? "")),
  (bytes, random) => withLines(bytes, (lines) => lines.push(...lines.splice(at(lines, random), 1))),
  (bytes) => Buffer.concat([bytes, Buffer.from('garbage\n{"n":7}\n')]),
);

const at = (lines: readonly string[], random: () => number) => Math.floor(random() * lines.length);

function withLines(bytes: Buffer, change: (lines: string[]) => void): Buffer {
  const lines = bytes.toString("latin1").split(/(?<=\n)/);
  change(lines);
  return Buffer.from(lines.join(""), "latin1");
}

test("damage of any kind after a clean stop is named, costs its own lines only, and is mended once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 12 }),
      damages,
      fc.nat(),
      async (count, damage, seed) => {
        const disk = await stopped(count, seed % 50);
        const before = disk.files().get(PATH) as Buffer;
        disk.tamper(PATH, (bytes) => damage(Buffer.from(bytes), seeded(seed)));
        const after = disk.files().get(PATH) as Buffer;
        const { lines, numbers, warnings } = await open(disk);
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        expect(new Set(numbers).size).toBe(numbers.length);
        for (const n of numbers) expect(upTo(count)).toContain(n);
        if (!after.equals(before)) expect(warnings.join()).toMatch(/is damaged|cut: no loss/);
        const lost = upTo(count).filter((n) => !numbers.includes(n));
        if (lost.length > 0) {
          // Whatever was changed cannot be told; how much it was can.
          expect(warnings.join()).toMatch(/lost: /);
          for (const n of lost) {
            const intact = after.includes(`"n":${n},"text"`) && !numbers.includes(n);
            if (intact) expect(keptBytes(disk)).toContain(`"n":${n},`);
          }
        }
        await lines.append([body(100)], { durable: true });
        await lines.close();
        const again = await open(disk);
        expect(again.numbers).toEqual([...numbers, 100]);
        expect(again.warnings).toEqual([]);
      },
    ),
    { numRuns: 500 },
  );
}, 120_000);

/** What lies beside the file. */
function keptBytes(disk: CrashFileSystem): string {
  return [...disk.files()]
    .filter(([path]) => path.includes(".damaged-"))
    .map(([, bytes]) => bytes.toString("latin1"))
    .join("");
}

describe("what is lost is named", () => {
  test("a flipped bit", async () => {
    const disk = await stopped(3);
    disk.tamper(PATH, (bytes) => Buffer.from(bytes.toString().replace('"n":1,"t', '"n":1,"u')));
    const { numbers, warnings } = await open(disk);
    expect(numbers).toEqual([0, 2]);
    expect(warnings).toEqual([
      expect.stringMatching(
        /lines\.jsonl:3 \(byte \d+\) is damaged: no line with a fitting checksum; lost: number 1; the bytes are kept in lines\.jsonl\.damaged-.*\. Count again$/,
      ),
    ]);
  });

  test("zeros over a line end: both lines", async () => {
    const disk = await stopped(4);
    disk.tamper(PATH, (bytes) => {
      const end = bytes.indexOf("\n", bytes.indexOf('"n":1'));
      return bytes.fill(0, end - 3, end + 3);
    });
    const { numbers, warnings } = await open(disk);
    expect(numbers).toEqual([0, 3]);
    expect(warnings).toEqual([expect.stringContaining("lost: number 1, number 2")]);
  });

  test("a missing end, an empty file, a file that is gone, a mark that is gone", async () => {
    const cut = await stopped(5);
    cut.tamper(PATH, (bytes) => bytes.subarray(0, bytes.lastIndexOf("\n", -2) + 1));
    const first = await open(cut);
    expect(first.numbers).toEqual([0, 1, 2, 3]);
    expect(first.warnings).toEqual([expect.stringContaining("the end is missing; lost: one line")]);
    const emptied = await stopped(5);
    emptied.tamper(PATH, () => Buffer.alloc(0));
    expect((await open(emptied)).warnings).toEqual([expect.stringContaining("lost: 5 lines")]);
    const gone = await stopped(5);
    await gone.fileSystem.remove(PATH);
    expect((await open(gone)).warnings).toEqual([
      expect.stringContaining("is gone; lost: its 5 lines"),
    ]);
    expect((await open(gone)).warnings).toEqual([]);
    const unmarked = await stopped(5);
    await unmarked.fileSystem.remove(`${PATH}.mark`);
    const last = await open(unmarked);
    expect(last.numbers).toEqual(upTo(5));
    expect(last.warnings).toEqual([expect.stringMatching(/its mark .* is gone.*nothing is lost/)]);
    expect((await open(unmarked)).warnings).toEqual([]);
  });

  test("an older copy that was put back", async () => {
    const disk = crashFileSystem();
    const { lines } = await open(disk);
    await lines.append([body(0), body(1)], { durable: true });
    const older = disk.files().get(PATH) as Buffer;
    await lines.rewrite([body(0)]);
    await lines.close();
    disk.tamper(PATH, () => older);
    const { numbers, warnings } = await open(disk);
    expect(numbers).toEqual([0, 1]);
    expect(warnings).toEqual([expect.stringContaining("it is older than its mark")]);
  });
});

test("what was written without a sync, and survived the process, is durable before it counts", async () => {
  const disk = crashFileSystem();
  const { lines } = await open(disk);
  await lines.append([body(0)], { durable: true });
  disk.fault = ({ kind, path }) => (kind === "sync" && path === PATH ? { code: "EIO" } : null);
  await expect(lines.append([body(1)], { durable: true })).rejects.toMatchObject({
    code: "SYNC_FAILED",
  });
  const after = disk.restart();
  const { numbers } = await open(after);
  expect(numbers).toEqual([0, 1]);
  for (const seed of upTo(50))
    expect((await open(after.crash(seeded(seed)))).numbers).toEqual([0, 1]);
});

test("lines without checksums are taken over, foreign ones are kept beside", async () => {
  const disk = crashFileSystem();
  const file = await disk.fileSystem.open(PATH, "create");
  await file.write(Buffer.from("0\n1\nwhat\n2\n3"), 0);
  await file.sync();
  await disk.fileSystem.syncDirectory("/data");
  const { numbers, warnings, lines } = await open(disk);
  expect(numbers).toEqual([0, 1, 2]);
  expect(warnings).toEqual([expect.stringContaining(":3 (byte 4) is damaged")]);
  expect(keptBytes(disk)).toBe("what\n");
  await lines.append([body(5)], { durable: true });
  await lines.close();
  const again = await open(disk);
  expect(again.numbers).toEqual([0, 1, 2, 5]);
  expect(again.warnings).toEqual([]);
});

test("on a full disk it opens, refuses, and takes lines again", async () => {
  const disk = await stopped(2);
  disk.capacity = [...disk.files().values()].reduce((sum, { length }) => sum + length, 0);
  const { lines, numbers } = await open(disk);
  expect(numbers).toEqual([0, 1]);
  await expect(lines.append([body(2)], { durable: true })).rejects.toMatchObject({
    code: "ENOSPC",
  });
  disk.capacity = Number.POSITIVE_INFINITY;
  await lines.append([body(3)], { durable: true });
  await lines.close();
  expect(await open(disk)).toMatchObject({ numbers: [0, 1, 3], warnings: [] });
});

test("is rewritten where most of a long file counts no more; a failure is said, and tried again when there is twice as much", async () => {
  const disk = crashFileSystem();
  let isFull = false;
  const fileSystem = new Proxy(disk.fileSystem, {
    get(target, key) {
      const found = Reflect.get(target, key);
      if (key !== "open") return typeof found === "function" ? found.bind(target) : found;
      return async (...given: Parameters<typeof target.open>) => {
        if (isFull) throw Object.assign(new Error("no space"), { code: "ENOSPC" });
        return target.open(...given);
      };
    },
  });
  const { lines, warnings } = await open({ ...disk, fileSystem });
  const add = (count: number) =>
    lines.append(
      upTo(count).map((n) => body(n)),
      { durable: true },
    );
  await add(999);
  expect([lines.lines, lines.isStale(0)]).toEqual([999, false]);
  await add(1);
  expect([lines.isStale(499), lines.isStale(500)]).toEqual([true, false]);
  isFull = true;
  await lines.tidy([body(1)]);
  expect(warnings).toEqual([`${PATH} was not rewritten: no space`]);
  expect([lines.lines, lines.isStale(0)]).toEqual([1_000, false]);
  isFull = false;
  await add(1_000);
  expect(lines.isStale(0)).toBe(true);
  await lines.tidy([body(1)]);
  expect([lines.lines, lines.isStale(0)]).toEqual([1, false]);
  await lines.close();
  expect((await open(disk)).numbers).toEqual([1]);
});
