import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FileSystem, nodeFileSystem } from "@orgloop/files";
import { testEvent } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { openFileBus, verifyWal, walStats } from "../index.ts";

test("a log that a process writes to, rotates and compacts meanwhile is never called damaged", async () => {
  const dir = await mkdtemp(join(tmpdir(), "orgloop-"));
  const bus = await openFileBus({ dir, rotate: { maxBytes: 20_000 } });
  let writing = true;
  const write = async (): Promise<void> => {
    while (writing) {
      const event = testEvent({ payload: { text: "x".repeat(200) } });
      await bus.publish(event);
      await bus.ack(event.id);
    }
  };
  const writers = [write(), write(), write()];
  for (let reading = 0; reading < 60; reading += 1) {
    const { problems } = await verifyWal(dir);
    expect(problems.filter(({ kind }) => kind !== "torn")).toEqual([]);
    await walStats(dir);
  }
  writing = false;
  await Promise.all(writers);
  await bus.close();
  expect((await verifyWal(dir)).problems).toEqual([]);
});

test("a file that is settled while it is read is read again, under its new name", async () => {
  const dir = await mkdtemp(join(tmpdir(), "orgloop-"));
  const bus = await openFileBus({ dir });
  await bus.publish(testEvent());
  await bus.close();
  let readings = 0;
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    async open(path, mode) {
      const file = await nodeFileSystem.open(path, mode);
      if (path.endsWith(".jsonl")) readings += 1;
      if (!path.endsWith(".jsonl") || readings !== 2) return file;
      let sizes = 0;
      // Its writer has begun a line, and then emptied the file.
      const read = async (into: Uint8Array, position: number) => {
        const count = await file.read(into, position);
        if (count > 0) into.set([0x0a], count - 1 - 8);
        return count;
      };
      const size = async () => {
        sizes += 1;
        return sizes > 1 ? 0 : file.size();
      };
      return { ...file, read, size };
    },
  };
  expect(await walStats(dir, { fileSystem })).toMatchObject({ unsettled: 1 });
  expect(readings).toBeGreaterThan(2);
});
