import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkpointSuite } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { inDirectories } from "./directories-fixture.ts";
import { fileCheckpoints } from "./file-checkpoints.ts";

const harness = inDirectories("fileCheckpoints", (dir) =>
  fileCheckpoints({ dir: join(dir, "made/where/missing") }),
);
const { fresh } = harness;

checkpointSuite(harness);

test("v1alpha1's file, under a safe name, and nothing beside", async () => {
  const dir = await fresh();
  const store = fileCheckpoints({ dir, now: () => Date.UTC(2026, 10, 1) });
  await Promise.all([store.set("team/a:b*", "7"), store.set("team/a:b*", "8")]);
  expect(await readdir(dir)).toEqual(["team%2Fa%3Ab%2A.json"]);
  expect(JSON.parse(await readFile(join(dir, "team%2Fa%3Ab%2A.json"), "utf8"))).toEqual({
    checkpoint: "8",
    updated_at: "2026-11-01T00:00:00.000Z",
  });
});

test.each(["", "{", "null", '{"checkpoint":7}', '{"checkpoint":"7"'])(
  "a file that holds %j is an error that names it, not null",
  async (contents) => {
    const dir = await fresh();
    await writeFile(join(dir, "github.json"), contents);
    await expect(fileCheckpoints({ dir }).get("github")).rejects.toMatchObject({
      code: "CHECKPOINT_UNREADABLE",
      message: expect.stringMatching(/github\.json .*restore the file, or delete it/),
    });
  },
);

test("what cannot be written rejects, and the next one goes through", async () => {
  const dir = join(await fresh(), "dir");
  await writeFile(dir, "a file where the folder should be");
  const store = fileCheckpoints({ dir });
  await expect(store.set("github", "1")).rejects.toThrow();
  await rm(dir);
  await store.set("github", "2");
  expect(await store.get("github")).toBe("2");
});
