import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { topologyHash } from "@orgloop/config";
import { readAppliedState, writeAppliedState } from "@orgloop/stores";
import { expect, test } from "vitest";
import {
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  topologyOf,
} from "../process/process-fixture.ts";

const SECRET = "written-out-in-yaml";

function hooked(secret: string) {
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent: recordingActor() } };
  const configs = { hook: { secret } };
  const plain = topologyOf(parts, [route("r", "hook", "agent")], { configs });
  // As the fixture starts it.
  const defaults = { ...plain.defaults, log_level: "debug" as const };
  return { parts, topology: { ...plain, defaults } };
}

/** Every file of a data directory. */
async function filesOf(dataDir: string): Promise<string> {
  const names = await readdir(dataDir, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  return (
    await Promise.all(files.map((it) => readFile(join(it.parentPath, it.name), "latin1")))
  ).join("\n");
}

test("a secret that is written out stands in no file and in no answer, and a change of it shows", async () => {
  const { parts, topology } = hooked(SECRET);
  const process = await startFixture(topology, parts);
  const authorized = { headers: { authorization: "Bearer test-token" } };
  const asked = async () => (await process.get("/control/topology", authorized)).text();
  expect(await asked()).not.toContain(SECRET);
  expect(await process.apply(topology)).toMatchObject({
    serial: 1,
    summary: expect.stringMatching(/^No changes/),
  });
  const changed = await process.apply(hooked("another-secret").topology);
  expect(changed).toMatchObject({ serial: 2, summary: "1 source changed" });
  expect(await asked()).toContain("hmac-sha256:");
  await process.drain();
  const all = await filesOf(process.dataDir);
  expect(all).not.toContain(SECRET);
  expect(all).not.toContain("another-secret");
  expect((await stat(join(process.dataDir, "secret.key"))).mode & 0o777).toBe(0o600);
});

test("a state of an earlier version that holds one is sealed by the next start, and counts as the same", async () => {
  const { parts, topology } = hooked(SECRET);
  const first = await startFixture(topology, parts);
  await first.drain();
  const state = await readAppliedState(first.dataDir);
  if (state === null) throw new Error("nothing was applied");
  await writeAppliedState(first.dataDir, { ...state, hash: topologyHash(topology), topology });
  const second = await startFixture(topology, parts, { dataDir: first.dataDir });
  await second.drain();
  expect(await readAppliedState(first.dataDir)).toEqual(state);
});
