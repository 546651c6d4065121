import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { recordingActor, route, startFixture, topologyOf } from "../process/process-fixture.ts";
import { removeDataDir } from "./remove-data-dir.ts";

/** A data directory in which a process ran. */
async function used() {
  const parts = { actors: { agent: recordingActor() } };
  const topology = topologyOf(parts, [route("all", "feed", "agent")], { bus: "file" });
  const process = await startFixture(topology, parts);
  return { process, dataDir: process.dataDir, project: topology.project };
}

test("whatever a process keeps is deleted, and nothing of somebody else's", async () => {
  const { process, dataDir, project } = await used();
  await expect(removeDataDir(dataDir, project)).rejects.toMatchObject({ code: "LOCKED" });
  await process.drain();
  await expect(removeDataDir(dataDir, "other")).rejects.toMatchObject({ code: "DATA_DIR_OWNED" });
  await writeFile(join(dataDir, "notes.txt"), "mine");
  expect(await removeDataDir(dataDir, project)).toEqual(["notes.txt"]);
  expect(await removeDataDir(dataDir, project)).toEqual(["notes.txt"]);
});

test("an emptied directory goes; one that was never there is no error", async () => {
  const { process, dataDir, project } = await used();
  await process.drain();
  expect(await removeDataDir(dataDir, project)).toEqual([]);
  expect(existsSync(dataDir)).toBe(false);
  expect(await removeDataDir(dataDir, project)).toBeNull();
});
