import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PermanentError, type Source } from "@orgloop/sdk";
import { expect, test } from "vitest";
import {
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  temporaryDir,
  topologyOf,
} from "../process/process-fixture.ts";
import { isDataDirLocked } from "./data-dir-locked.ts";
import { readStoredState } from "./stored-state.ts";

async function fingerprint(dir: string): Promise<string> {
  const hash = createHash("sha256");
  for (const name of (await readdir(dir, { recursive: true })).sort()) {
    hash.update(name).update(await readFile(join(dir, name)).catch(() => ""));
  }
  return hash.digest("hex");
}

test("what a process left behind can be read without changing it", async () => {
  const source: Source = {
    async *poll() {
      const events = [1, 2, 3].map((n) => ({
        provenance: { platform: "test" },
        payload: { n, text: "one\u2028line" },
      }));
      yield { events, checkpoint: "3" };
    },
  };
  const agent = recordingActor(({ payload }) => {
    if (payload.n === 1) throw new PermanentError("never");
    return new Promise(() => {});
  });
  const parts = { sources: { "team/feed": source }, actors: { agent } };
  const topology = topologyOf(parts, [route("all", "team/feed", "agent")], { bus: "file" });
  const process = await startFixture(topology, parts, { drainMs: 10 });
  const { dataDir } = process;
  await process.entry("deliver.dead_letter");
  await process.drain();
  const before = await fingerprint(dataDir);
  expect(await readStoredState({ topology, projectDir: dataDir, dataDir })).toEqual({
    checkpoints: new Map([["team/feed", "3"]]),
    unacked: 2,
    damage: null,
    deadLetters: 1,
    inbox: 0,
  });
  expect(await isDataDirLocked(dataDir)).toBe(false);
  expect(await fingerprint(dataDir)).toBe(before);
});

test("nothing is there yet", async () => {
  const dataDir = join(await temporaryDir(), "none");
  const topology = topologyOf({}, [], { bus: "file" });
  const none = { checkpoints: new Map(), unacked: 0, damage: null, deadLetters: 0, inbox: 0 };
  expect(await readStoredState({ topology, projectDir: dataDir, dataDir })).toEqual(none);
  expect(await readStoredState({ topology: null, projectDir: dataDir, dataDir })).toEqual(none);
});

test("events in inboxes are counted as they wait", async () => {
  const agent = recordingActor();
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent } };
  const config = { inbox: true, session_key: "a" };
  const routes = [{ ...route("r", "hook", "agent"), then: { actor: "agent", config } }];
  const topology = topologyOf(parts, routes, { bus: "file" });
  const process = await startFixture(topology, parts);
  for (const n of [1, 2, 3]) await process.post("/webhook/hook", { n });
  await agent.until(1);
  await process.get("/api/inbox/drain?session_key=a&limit=1");
  await process.drain();
  const { dataDir } = process;
  const stored = await readStoredState({ topology, projectDir: dataDir, dataDir });
  expect(stored).toMatchObject({ unacked: 0, inbox: 2 });
});
