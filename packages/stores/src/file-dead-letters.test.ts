import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FileSystem, nodeFileSystem, type OpenFile } from "@orgloop/files";
import type { DeadLetterStore } from "@orgloop/sdk";
import {
  deadLetterSuite,
  sampleDeadLetter,
  sampleInboxEntry,
  storedLetters,
} from "@orgloop/testkit";
import { describe, expect, test, vi } from "vitest";
import { inDirectories } from "./directories-fixture.ts";
import { fileDeadLetters } from "./file-dead-letters.ts";
import { fileInbox } from "./file-inbox.ts";

const harness = inDirectories<DeadLetterStore>("fileDeadLetters", (dir) =>
  fileDeadLetters({ dir }),
);
const { fresh } = harness;

deadLetterSuite(harness);

/** The real file system with some of an open file's calls replaced. */
const withFile = (change: (file: OpenFile) => Partial<OpenFile>): FileSystem => ({
  ...nodeFileSystem,
  open: async (path, mode) => {
    const file = await nodeFileSystem.open(path, mode);
    return { ...file, ...change(file) };
  },
});

async function idsIn(dir: string): Promise<string[]> {
  const store = await fileDeadLetters({ dir });
  const ids = (await storedLetters(store)).map(({ id }) => id);
  await store.close();
  return ids;
}

describe("the file", () => {
  test("those that wait share one sync", async () => {
    let syncs = 0;
    const fileSystem = withFile((file) => ({
      sync: () => {
        syncs++;
        return file.sync();
      },
    }));
    const store = await fileDeadLetters({ dir: await fresh(), fileSystem });
    await Promise.all(Array.from({ length: 500 }, (_, n) => store.put(sampleDeadLetter(n))));
    expect(syncs).toBeLessThan(10);
    await store.close();
  });

  test("a torn tail is cut, whatever was torn", async () => {
    const dir = await fresh();
    const path = join(dir, "dead-letters.jsonl");
    const store = await fileDeadLetters({ dir });
    for (const n of [1, 2]) await store.put(sampleDeadLetter(n));
    await store.close();
    const whole = await readFile(path);
    for (const tail of ["{", '{"id":"dl_3"}', "\0\0\0", whole.toString().slice(60, 160)]) {
      await appendFile(path, tail);
      expect(await idsIn(dir)).toEqual(["dl_1", "dl_2"]);
      expect(await readFile(path)).toEqual(whole);
    }
  });

  test("lines without checksums, as the release before wrote them, are taken over; foreign ones are named and kept", async () => {
    const dir = await fresh();
    const path = join(dir, "dead-letters.jsonl");
    const lines = [1, 2, 3].map((n) => JSON.stringify(sampleDeadLetter(n)));
    const foreign = `x${lines[1]?.slice(1)}\nno letter\n`;
    await writeFile(path, `${lines[0]}\n${foreign}${lines[2]}\n{"removed":["dl_1"]}\n{"id":"dl_`);
    const warnings: string[] = [];
    const store = await fileDeadLetters({ dir, warn: (message) => warnings.push(message) });
    expect(warnings).toEqual([
      expect.stringMatching(
        /jsonl:2 \(byte \d+\) is damaged: .*; lost: dead letters of evt_2; .*kept/,
      ),
      expect.stringMatching(/jsonl:3 \(byte \d+\) is damaged/),
    ]);
    expect(await storedLetters(store)).toEqual([sampleDeadLetter(3)]);
    await store.put(sampleDeadLetter(4));
    await store.close();
    expect(await idsIn(dir)).toEqual(["dl_3", "dl_4"]);
    const kept = (await readdir(dir)).filter((name) => name.includes(".damaged-"));
    expect(kept).toHaveLength(1);
    expect(await readFile(join(dir, kept[0] as string), "utf8")).toBe(foreign);
  });

  test("a removal that is damaged is named: the letter is back", async () => {
    const dir = await fresh();
    const path = join(dir, "dead-letters.jsonl");
    const store = await fileDeadLetters({ dir });
    await store.put(sampleDeadLetter(1));
    await store.remove(["dl_1"]);
    await store.close();
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace(/"crc":"(.)(\w+)","seq":2/, '"crc":"x$2","seq":2'));
    const warnings: string[] = [];
    await (await fileDeadLetters({ dir, warn: (message) => warnings.push(message) })).close();
    expect(warnings).toEqual([expect.stringContaining("lost: that dl_1 were removed")]);
    expect(await idsIn(dir)).toEqual(["dl_1"]);
  });

  test("compaction keeps the file within twice what it holds", async () => {
    const dir = await fresh();
    const store = await fileDeadLetters({ dir });
    const letters = Array.from({ length: 200 }, (_, n) => sampleDeadLetter(n, "x".repeat(2_000)));
    await Promise.all(letters.map((letter) => store.put(letter)));
    await store.remove(letters.slice(0, 150).map(({ id }) => id));
    expect((await stat(join(dir, "dead-letters.jsonl"))).size).toBeLessThan(150_000);
    expect(await storedLetters(store)).toEqual(letters.slice(150));
    await store.remove(letters.map(({ id }) => id));
    await store.put(sampleDeadLetter(7));
    await store.close();
    expect(await idsIn(dir)).toEqual(["dl_7"]);
  });

  test("a full disk rejects the letter, keeps the others, and takes letters again", async () => {
    const dir = await fresh();
    let room = Number.POSITIVE_INFINITY;
    const fileSystem = withFile((file) => ({
      write: async (bytes, position) => {
        const count = Math.min(bytes.length, room);
        room -= count;
        return count === 0 ? 0 : file.write(bytes.subarray(0, count), position);
      },
    }));
    const store = await fileDeadLetters({ dir, fileSystem });
    await store.put(sampleDeadLetter(1));
    room = 10;
    await expect(store.put(sampleDeadLetter(2))).rejects.toMatchObject({ code: "ENOSPC" });
    room = Number.POSITIVE_INFINITY;
    await store.put(sampleDeadLetter(3));
    expect((await storedLetters(store)).map(({ id }) => id)).toEqual(["dl_1", "dl_3"]);
    await store.close();
    expect(await idsIn(dir)).toEqual(["dl_1", "dl_3"]);
  });

  test("after a failed sync nothing is taken any more", async () => {
    const dir = await fresh();
    let ill = false;
    const fileSystem = withFile((file) => ({
      sync: async () => {
        if (ill) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
        return file.sync();
      },
    }));
    const store = await fileDeadLetters({ dir, fileSystem });
    await store.put(sampleDeadLetter(1));
    ill = true;
    await expect(store.put(sampleDeadLetter(2))).rejects.toMatchObject({ code: "SYNC_FAILED" });
    ill = false;
    await expect(store.put(sampleDeadLetter(3))).rejects.toThrow("check the disk and restart");
    await store.close();
    expect(await idsIn(dir)).toContain("dl_1");
  });

  test("a closed store says so", async () => {
    const store = await fileDeadLetters({ dir: await fresh() });
    await store.put(sampleDeadLetter(1));
    await store.close();
    await store.close();
    await expect(store.put(sampleDeadLetter(1))).rejects.toMatchObject({ code: "STORE_CLOSED" });
    await expect(store.get("dl_1")).rejects.toMatchObject({ code: "STORE_CLOSED" });
  });
});

test("a directory that is removed under it takes no more letters, and says so", async () => {
  const dir = join(await mkdtemp(join(tmpdir(), "orgloop-")), "dead-letters");
  const letters = await fileDeadLetters({ dir });
  await letters.put(sampleDeadLetter(1));
  await rm(dir, { recursive: true });
  const put = () => letters.put(sampleDeadLetter(2)).catch((error) => error.code);
  await vi.waitFor(async () => expect(await put()).toBe("STORE_REMOVED"), { interval: 15 });
  expect(await put()).toBe("STORE_REMOVED");
  await letters.close();
});

test("a file of another store, or a directory, is refused by its name and stays", async () => {
  const root = await mkdtemp(join(tmpdir(), "orgloop-"));
  const inbox = await fileInbox({ dir: join(root, "inbox") });
  await inbox.put(sampleInboxEntry(1));
  await inbox.close();
  for (const end of ["", ".mark"]) {
    await cp(join(root, `inbox/inbox.jsonl${end}`), join(root, `letters/dead-letters.jsonl${end}`));
  }
  await mkdir(join(root, "odd/dead-letters.jsonl"), { recursive: true });
  for (const dir of ["letters", "odd"]) {
    await expect(fileDeadLetters({ dir: join(root, dir) })).rejects.toMatchObject({
      code: "STORE_FOREIGN",
      message: expect.stringContaining(join(root, dir, "dead-letters.jsonl")),
    });
  }
});
