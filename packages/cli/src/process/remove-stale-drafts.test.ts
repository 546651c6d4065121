import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { removeStaleDrafts } from "./remove-stale-drafts.ts";

test("drafts of processes that are gone are removed, those of one that lives and all else stay", async () => {
  const home = await mkdtemp(path.join(tmpdir(), "orgloop-home-"));
  onTestFinished(() => rm(home, { recursive: true }));
  await mkdir(path.join(home, "selected-workspaces"));
  const gone = 2 ** 22 + 1;
  const living = `modules.json.${process.pid}.tmp`;
  for (const name of [
    `token.${gone}.tmp`,
    `heartbeat.${gone}-12.tmp`,
    `selected-workspaces/a.json.${gone}-1.tmp`,
    living,
    "notes.tmp",
  ]) {
    await writeFile(path.join(home, name), "");
  }
  await removeStaleDrafts(home);
  expect((await readdir(home)).toSorted()).toEqual([living, "notes.tmp", "selected-workspaces"]);
  expect(await readdir(path.join(home, "selected-workspaces"))).toEqual([]);
  await removeStaleDrafts(path.join(home, "nowhere"));
});
