import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { nodeFileSystem } from "./file-system.ts";

const directory = () => mkdtemp(join(tmpdir(), "orgloop-"));

test("creates only what is missing, reads back what was written, for the owner alone", async () => {
  const dir = join(await directory(), "a", "b");
  await nodeFileSystem.makeDirectory(dir);
  await nodeFileSystem.makeDirectory(dir);
  const path = join(dir, "file");
  const file = await nodeFileSystem.open(path, "create");
  expect(await file.write(Buffer.from("hello world"), 0)).toBe(11);
  await file.truncate(5);
  await file.sync();
  expect(await file.size()).toBe(5);
  const into = Buffer.alloc(10);
  expect(await file.read(into, 1)).toBe(4);
  expect(into.toString("utf8", 0, 4)).toBe("ello");
  expect(await file.read(into, 5)).toBe(0);
  await file.close();
  expect((await stat(path)).mode & 0o077).toBe(0);
  await expect(nodeFileSystem.open(path, "create")).rejects.toMatchObject({ code: "EEXIST" });
  await expect(nodeFileSystem.open(join(dir, "none"), "update")).rejects.toMatchObject({
    code: "ENOENT",
  });
});

test("a directory that the system does not make, though its parent is there, is an error", async () => {
  const { makeDirectory } = nodeFileSystem;
  await expect(makeDirectory("/proc/self/none/deeper")).rejects.toMatchObject({ syscall: "mkdir" });
});

test.each([
  ["its file is removed", false, (dir: string) => rm(join(dir, "file"))],
  ["its directory is removed", true, (dir: string) => rm(dir, { recursive: true })],
  ["its directory moves", true, (dir: string) => rename(dir, `${dir}-elsewhere`)],
  [
    "another directory takes its place",
    true,
    async (dir: string) => {
      await rename(dir, `${dir}-elsewhere`);
      await mkdir(dir);
    },
  ],
])("tells an open file when %s", async (_, takesAll, take) => {
  const dir = join(await directory(), "data");
  await mkdir(dir);
  const file = await nodeFileSystem.open(join(dir, "file"), "create");
  const other = await nodeFileSystem.open(join(dir, "renamed"), "create");
  await rename(join(dir, "renamed"), join(dir, "still here"));
  await take(dir);
  await vi.waitFor(() => expect(file.isRemoved()).toBe(true), { interval: 1 });
  await vi.waitFor(() => expect(other.isRemoved()).toBe(takesAll), { interval: 1 });
  await Promise.all([file.close(), other.close()]);
});
