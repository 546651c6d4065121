import { crashFileSystem, seeded } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { MarkFile, readMark } from "./mark-file.ts";

const PATH = "/data/high-water";
const read = (disk: ReturnType<typeof crashFileSystem>) => readMark(PATH, disk.fileSystem);

test("what was written last is read, here and by the next process", async () => {
  const disk = crashFileSystem();
  expect(await read(disk)).toBeNull();
  expect(await MarkFile.open(PATH, disk.fileSystem)).toBeNull();
  const file = await MarkFile.create(PATH, { n: 0 }, disk.fileSystem);
  for (let n = 1; n < 10; n += 1) {
    await file.write({ n }, { durable: false });
    expect(file.mark).toEqual({ n });
    expect(await read(disk)).toEqual({ n });
    expect((await MarkFile.open(PATH, disk.fileSystem))?.mark).toEqual({ n });
  }
});

test("a power cut brings back no mark older than the last durable one", async () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const random = seeded(seed);
    const disk = crashFileSystem();
    const file = await MarkFile.create(PATH, { n: 0 }, disk.fileSystem);
    let durable = 0;
    let n = 0;
    for (; n < 1 + random() * 6; n += 1) {
      const isDurable = random() < 0.4;
      await file.write({ n }, { durable: isDurable });
      if (isDurable) durable = n;
    }
    const found = (await read(disk.crash(random))) as { n: number };
    expect(found.n).toBeGreaterThanOrEqual(durable);
    expect(found.n).toBeLessThanOrEqual(n);
  }
});

test("a flipped bit brings back the mark before, which is the same one after a write of both", async () => {
  const disk = crashFileSystem();
  const file = await MarkFile.create(PATH, { n: 1 }, disk.fileSystem);
  const bytes = disk.files().get(PATH) as Buffer;
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ (1 << (at % 8));
    disk.tamper(PATH, () => changed);
    expect(await read(disk)).toEqual({ n: 1 });
  }
  disk.tamper(PATH, () => bytes);
  await file.write({ n: 2 }, { durable: true });
  disk.tamper(PATH, (all) => Buffer.concat([all.subarray(0, 512), Buffer.alloc(512)]));
  expect((await read(disk)) as { n: number }).toEqual({ n: 1 });
  for (const damage of [Buffer.alloc(0), Buffer.alloc(1_024), Buffer.alloc(2_000, "x")]) {
    disk.tamper(PATH, () => damage);
    await expect(read(disk)).rejects.toMatchObject({ code: "MARK_DAMAGED" });
  }
});
