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
    checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
    checkpoint: "8",
    updated_at: "2026-11-01T00:00:00.000Z",
  });
});

test("any changed character is an error, a missing checksum too; what the release before wrote is read", async () => {
  const dir = await fresh();
  const file = join(dir, "github.json");
  await fileCheckpoints({ dir }).set("github", "12");
  const text = await readFile(file, "utf8");
  for (let at = 0; at < text.trimEnd().length; at += 1) {
    const changed = String.fromCharCode(text.charCodeAt(at) ^ 1);
    await writeFile(file, text.slice(0, at) + changed + text.slice(at + 1));
    await expect(fileCheckpoints({ dir }).get("github"), `at ${at}`).rejects.toThrow(
      /cannot be read/,
    );
  }
  await writeFile(file, '{"checkpoint":"5","updated_at":"2026-11-01T00:00:00.000Z"}\n');
  expect(await fileCheckpoints({ dir }).get("github")).toBe("5");
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
