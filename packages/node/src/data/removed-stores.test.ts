import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nodeFileSystem } from "@orgloop/files";
import { PermanentError } from "@orgloop/sdk";
import {
  fileClaims,
  fileDeadLetters,
  fileInbox,
  fileRepeats,
  fileRouteStates,
} from "@orgloop/stores";
import { sampleDeadLetter, sampleInboxEntry } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { keptStarts } from "../delivery/kept-starts.ts";
import {
  eventually,
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  temporaryDir,
  topologyOf,
} from "../process/process-fixture.ts";
import { claimFormat } from "./data-format.ts";
import { verifyStores } from "./verify-stores.ts";

test("a start names a store, and the log, that was removed with all that lay beside it; once", async () => {
  const dataDir = await temporaryDir();
  const agent = recordingActor(() => {
    throw new PermanentError("no");
  });
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent } };
  const topology = topologyOf(parts, [route("r", "hook", "agent")], { bus: "file" });
  const start = async () => {
    const started = await startFixture(topology, parts, { dataDir });
    const said = started.entries.filter(({ phase }) => phase === "system.error");
    return { started, said: said.map(({ error }) => error) };
  };
  const { started: first } = await start();
  await first.post("/webhook/hook", { n: 1 });
  await eventually(() => expect(first.status().dead_letters).toBe(1));
  await first.drain();

  for (const name of ["dead-letters", "wal"]) {
    await rm(join(dataDir, name), { recursive: true });
    const gone = `${join(dataDir, name)}`;
    expect((await verifyStores(dataDir)).problems).toEqual([expect.stringContaining(gone)]);
    const { started, said } = await start();
    expect(said).toEqual([expect.stringMatching(/ is gone; lost: .*orgloop replay/s)]);
    expect(said[0]).toContain(gone);
    await started.drain();
  }
  const { started, said } = await start();
  expect(said).toEqual([]);
  await started.drain();
  expect((await verifyStores(dataDir)).problems).toEqual([]);
});

test("every store of a directory from before the list is on it after a start, and then missed", async () => {
  const dir = await temporaryDir();
  const fixed = { fileSystem: nodeFileSystem, wall: Date.now, isWanted: () => true };
  const open = async (warn: (message: string) => void) => {
    const made = await claimFormat(dir);
    const on = { made, warn };
    const letters = await fileDeadLetters({ dir: join(dir, "dead-letters"), ...on });
    const inbox = await fileInbox({ dir: join(dir, "inbox"), ...on });
    const claims = await fileClaims({ dir: join(dir, "claims"), ...on });
    const repeats = await fileRepeats({ dir: join(dir, "repeats"), onMark: () => {}, ...on });
    const states = await fileRouteStates({ file: join(dir, "route-state.jsonl"), ...on });
    const starts = await keptStarts({ path: join(dir, "attempt-starts.jsonl"), ...fixed, ...on });
    return {
      async fill() {
        await letters.put(sampleDeadLetter(1));
        await inbox.put(sampleInboxEntry(1));
        await claims.claim("key", "evt_1", 60_000, Date.now());
        await repeats.beginEpoch("hook");
        await states.save("r", null);
        await starts.put({ start: ['["evt_1",0,"r"]', 1] });
      },
      close: () =>
        Promise.all(
          [letters, inbox, claims, repeats, states, starts].map((store) => store.close?.()),
        ),
    };
  };
  const said: string[] = [];
  const warn = (message: string): unknown => said.push(message);
  const first = await open(warn);
  await first.fill();
  await first.close();
  // As the release before has left it.
  await writeFile(join(dir, "format.json"), '{"format":2}\n');
  await (await open(warn)).close();
  const { files } = JSON.parse(await readFile(join(dir, "format.json"), "utf8"));
  expect(files).toHaveLength(6);
  expect(said).toEqual([]);
  for (const file of files as string[]) {
    for (const end of ["", ".mark"]) await rm(join(dir, file + end));
    expect((await verifyStores(dir)).problems).toEqual([
      expect.stringContaining(`${join(dir, file)} is gone`),
    ]);
    await (await open(warn)).close();
    expect(said.splice(0)).toEqual([expect.stringContaining(`${join(dir, file)} is gone; lost`)]);
    await (await open(warn)).close();
    expect(said).toEqual([]);
  }
});
