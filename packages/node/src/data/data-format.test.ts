import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FileSystem, nodeFileSystem } from "@orgloop/files";
import { expect, test } from "vitest";
import { claimFormat, DATA_FORMAT } from "./data-format.ts";

const directory = () => mkdtemp(join(tmpdir(), "orgloop-"));

test("a directory without a number becomes one of this release's format", async () => {
  const dir = await directory();
  await claimFormat(dir);
  const text = await readFile(join(dir, "format.json"), "utf8");
  expect(JSON.parse(text)).toEqual({ format: DATA_FORMAT, files: [] });
  await claimFormat(dir);
  expect(await readFile(join(dir, "format.json"), "utf8")).toBe(text);
});

test("what was made is listed, and what another start has listed", async () => {
  const dir = await directory();
  const made = await claimFormat(dir);
  const paths = ["claims/claims.jsonl", "inbox/inbox.jsonl"].map((name) => join(dir, name));
  expect(paths.map(made.has)).toEqual([false, false]);
  await Promise.all(paths.map(made.add));
  const again = await claimFormat(dir);
  expect(paths.map(again.has)).toEqual([true, true]);
});

test("a newer format, and a number that cannot be read, are refused and left as they are", async () => {
  for (const [text, said] of [
    ['{"format":3}', /newer release \(format 3, this one knows 2\)/],
    ["", /format\.json does not say which format/],
    ['{"format":"2"}', /does not say/],
    ["null", /does not say/],
  ] as const) {
    const dir = await directory();
    await writeFile(join(dir, "format.json"), text);
    const message = expect.stringMatching(said);
    await expect(claimFormat(dir)).rejects.toMatchObject({ code: "DATA_FORMAT", message });
    expect(await readFile(join(dir, "format.json"), "utf8")).toBe(text);
  }
});

test("on a full disk the number is written by a later start", async () => {
  const dir = await directory();
  const full: FileSystem = {
    ...nodeFileSystem,
    open(path, mode) {
      if (mode === "read") return nodeFileSystem.open(path, mode);
      return Promise.reject(Object.assign(new Error("no space left"), { code: "ENOSPC" }));
    },
  };
  await claimFormat(dir, full);
  expect(await readdir(dir)).toEqual([]);
});
