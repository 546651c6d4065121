import { cp, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openFileBus, verifyWal, walStats } from "./index.ts";

const FIXTURES = new URL("../../../../test/fixtures/data-b0cfe0b/", import.meta.url);

async function copied(name: string): Promise<string> {
  const dir = join(await mkdtemp(join(tmpdir(), "orgloop-")), "wal");
  await cp(fileURLToPath(new URL(name, FIXTURES)), dir, { recursive: true });
  return dir;
}

async function ids(dir: string): Promise<string[]> {
  const bus = await openFileBus({ dir });
  const found = (await bus.unacked()).map(({ id }) => id);
  await bus.close();
  return found;
}

/** The log of format 1 (before high-water marks), by name, with its count of unsettled events. */
const LOGS = { "killed/wal": 7, "stopped/wal": 6, "wal-settled": 4 };

test("a log of the release before opens with all that is unsettled, and is of this release's format then", async () => {
  for (const [name, unsettled] of Object.entries(LOGS)) {
    const dir = await copied(name);
    expect(await verifyWal(dir), name).toMatchObject({ problems: [] });
    expect(await walStats(dir), name).toMatchObject({ unsettled });
    const first = await ids(dir);
    expect(first, name).toHaveLength(unsettled);
    expect(await ids(dir)).toEqual(first);
    expect(await verifyWal(dir)).toMatchObject({ problems: [] });
    const names = (await readdir(dir)).filter((each) => /^\d{16}\.jsonl$/.test(each)).sort();
    const text = await readFile(join(dir, names.at(-1) as string), "utf8");
    expect(JSON.parse(text.slice(0, text.indexOf("\n")))).toMatchObject({ format: 2 });
    expect(await readdir(dir)).toContain("high-water");
  }
});

test("a log that a newer release wrote is refused by start, verify and repair, and left as it is", async () => {
  const dir = await copied("stopped/wal");
  await ids(dir);
  const name = (await readdir(dir)).filter((each) => /^\d{16}\.jsonl$/.test(each)).at(-1) as string;
  const { encodeLine } = await import("./format/line.ts");
  const from = Number(name.slice(0, 16));
  await writeFile(join(dir, name), encodeLine(from, from, '"open":9,"at":1,"format":3}'));
  for (const read of [() => openFileBus({ dir }), () => verifyWal(dir)]) {
    await expect(read()).rejects.toMatchObject({
      code: "WAL_FORMAT",
      message: expect.stringMatching(/newer release \(format 3, this one knows 2\)/),
    });
  }
});
