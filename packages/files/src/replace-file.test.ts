import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type FileSystem, nodeFileSystem } from "./file-system.ts";
import { replaceFile } from "./replace-file.ts";

const directory = () => mkdtemp(join(tmpdir(), "orgloop-"));

test("replaces the contents and leaves nothing beside", async () => {
  const dir = await directory();
  const path = join(dir, "file");
  await replaceFile(path, "one");
  await Promise.all([replaceFile(path, "two"), replaceFile(path, Buffer.from("two"))]);
  expect(await readFile(path, "utf8")).toBe("two");
  expect(await readdir(dir)).toEqual(["file"]);
});

test("keeps the old contents when the disk is full or the sync fails", async () => {
  const dir = await directory();
  const path = join(dir, "file");
  await replaceFile(path, "old");
  const full: FileSystem = {
    ...nodeFileSystem,
    open: async (file, mode) => ({
      ...(await nodeFileSystem.open(file, mode)),
      write: async () => 0,
    }),
  };
  const ill: FileSystem = {
    ...nodeFileSystem,
    open: async (file, mode) => ({
      ...(await nodeFileSystem.open(file, mode)),
      sync: async () => {
        throw Object.assign(new Error("sync failed"), { code: "EIO" });
      },
    }),
  };
  await expect(replaceFile(path, "new", full)).rejects.toMatchObject({ code: "ENOSPC" });
  await expect(replaceFile(path, "new", ill)).rejects.toMatchObject({ code: "EIO" });
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(dir)).toEqual(["file"]);
});
