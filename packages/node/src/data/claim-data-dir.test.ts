import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDir } from "../process/process-fixture.ts";
import { claimDataDir } from "./claim-data-dir.ts";
import { isDataDirLocked } from "./data-dir-locked.ts";

test("a data directory belongs to one project and to one process at a time", async () => {
  const dir = join(await temporaryDir(), "data");
  const owner = async () => JSON.parse(await readFile(join(dir, "owner.json"), "utf8"));
  const held = await claimDataDir(dir, "acme", "/srv/one");
  expect(await owner()).toEqual({ project: "acme", directory: "/srv/one" });
  await expect(claimDataDir(dir, "acme", "/srv/one")).rejects.toMatchObject({
    code: "LOCKED",
    message: expect.stringContaining(String(process.pid)),
  });
  await held.release();
  await expect(claimDataDir(dir, "other", "/srv/one")).rejects.toMatchObject({
    code: "DATA_DIR_OWNED",
    message: expect.stringMatching(/"acme".*"other"/),
  });
  await (await claimDataDir(dir, "acme", "/srv/two")).release();
  expect(await owner()).toEqual({ project: "acme", directory: "/srv/two" });
});

test("whose it is must be readable", async () => {
  const dir = await temporaryDir();
  await writeFile(join(dir, "owner.json"), "{");
  await expect(claimDataDir(dir, "acme", dir)).rejects.toMatchObject({ code: "DATA_DIR_OWNED" });
  expect(await isDataDirLocked(dir)).toBe(false);
});
