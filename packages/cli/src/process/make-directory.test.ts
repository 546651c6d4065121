import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeDirectory } from "./make-directory.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "orgloop-make-"));
});
afterAll(() => rm(root, { recursive: true }));

test("missing parents are made, with the mode; what is there stays", async () => {
  const directory = path.join(root, "a/b/c");
  await makeDirectory(directory, { mode: 0o700 });
  await makeDirectory(directory);
  for (const one of ["a", "a/b", "a/b/c"]) {
    expect((await stat(path.join(root, one))).mode & 0o777).toBe(0o700);
  }
});

test("where it cannot be is one clear line", async () => {
  const file = path.join(root, "file");
  await writeFile(file, "");
  const made = (directory: string) => makeDirectory(directory).catch((error) => error.message);
  expect(await made(file)).toBe(`the directory ${file} cannot be made: a file is in its place`);
  expect(await made(path.join(file, "below/it"))).toMatch(/below cannot be made: ENOTDIR/);
});

test("a place that takes no directories is told: Node's own recursive mkdir would not end there", async () => {
  await expect(makeDirectory("/proc/nope/below")).rejects.toThrow(
    /^the directory \/proc(\/nope)? cannot be made: E/,
  );
});
