import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type FileBusOptions, openFileBus } from "@orgloop/bus/file";
import { type FileSystem, nodeFileSystem, type OpenFile } from "@orgloop/files";
import type { Source, SourcePage } from "@orgloop/sdk";
import { fileCheckpoints } from "@orgloop/stores";
import { expect, test } from "vitest";
import { nodeDisk } from "../data/disk.ts";
import {
  eventually,
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  temporaryDir,
  topologyOf,
} from "./process-fixture.ts";
import type { StartOptions } from "./start-process.ts";

/** A file bus on the real disk, with `before` called before each write and sync of its files. */
function onDisk(
  before: (operation: "write" | "sync") => void | Promise<void>,
): NonNullable<StartOptions["openBus"]> {
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    async open(path, mode) {
      const file = await nodeFileSystem.open(path, mode);
      const watched: OpenFile = {
        ...file,
        async write(bytes, position) {
          await before("write");
          return file.write(bytes, position);
        },
        async sync() {
          await before("sync");
          return file.sync();
        },
      };
      return watched;
    },
  };
  return ({ dir, log, now }) =>
    openFileBus({ dir, fileSystem, now, onEvent: log as NonNullable<FileBusOptions["onEvent"]> });
}

/** The machine's clock, and what is added to it. */
function fakeNow() {
  let addedMs = 0;
  return {
    now: () => Date.now() + addedMs,
    add(ms: number) {
      addedMs += ms;
    },
  };
}

function oneActor() {
  const agent = recordingActor();
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent } };
  return {
    agent,
    parts,
    topology: topologyOf(parts, [route("all", "hook", "agent")], { bus: "file" }),
  };
}

test("a webhook is answered, and its event delivered, only after the disk has it", async () => {
  let gate: PromiseWithResolvers<void> | null = null;
  const reached = Promise.withResolvers<void>();
  const { agent, parts, topology } = oneActor();
  const process = await startFixture(topology, parts, {
    openBus: onDisk(async (operation) => {
      if (operation !== "sync" || gate === null) return;
      reached.resolve();
      await gate.promise;
    }),
  });
  gate = Promise.withResolvers();
  let answered = false;
  const answer = process.post("/webhook/hook", { n: 1 }).then((response) => {
    answered = true;
    return response;
  });
  await reached.promise;
  expect((await process.get("/readyz")).status).toBe(200);
  expect([answered, agent.got.length]).toEqual([false, 0]);
  gate.resolve();
  expect((await answer).status).toBe(200);
  await agent.until(1);
});

test("a full disk stops intake with 503, loses nothing, and ends by itself", async () => {
  let full = false;
  const { agent, parts, topology } = oneActor();
  const noRoom = (): void => {
    if (full) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  };
  const clock = fakeNow();
  const process = await startFixture(topology, parts, {
    openBus: onDisk((operation) => {
      if (operation === "write") noRoom();
    }),
    disk: {
      ...nodeDisk,
      fileSystem: {
        ...nodeFileSystem,
        async open(path, mode) {
          if (path.endsWith("-0.tmp")) noRoom();
          return nodeFileSystem.open(path, mode);
        },
      },
    },
    now: clock.now,
  });
  expect((await process.post("/webhook/hook", { n: 1 })).status).toBe(200);
  await agent.until(1);
  full = true;
  const refused = await process.post("/webhook/hook", { n: 2 });
  expect([refused.status, refused.headers.has("retry-after")]).toEqual([503, true]);
  expect((await process.get("/healthz")).status).toBe(200);
  const notReady = await process.get("/readyz");
  expect([notReady.status, await notReady.json()]).toEqual([
    503,
    { ok: false, error: expect.stringContaining("no space left on device") },
  ]);
  expect((await process.get("/readyz")).status).toBe(503);
  full = false;
  clock.add(1_000);
  expect((await process.get("/readyz")).status).toBe(200);
  expect(await readdir(process.dataDir)).not.toContainEqual(expect.stringContaining(".tmp"));
  expect((await process.post("/webhook/hook", { n: 3 })).status).toBe(200);
  await agent.until(2);
  expect(agent.got.map(({ payload }) => payload.n)).toEqual([1, 3]);
});

test("a start on a full disk delivers what it has, refuses events, and takes up again when there is room", async () => {
  const dataDir = await temporaryDir();
  const stuck = oneActor();
  const parts = {
    ...stuck.parts,
    actors: { agent: recordingActor(() => new Promise(() => {})) },
  };
  const before = await startFixture(stuck.topology, parts, { dataDir, drainMs: 10 });
  expect((await before.post("/webhook/hook", { n: 1 })).status).toBe(200);
  await before.drain();

  let full = true;
  const { agent, parts: healthy, topology } = oneActor();
  const process = await startFixture(topology, healthy, {
    dataDir,
    openBus: onDisk((operation) => {
      if (operation === "write" && full) {
        throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      }
    }),
  });
  await agent.until(1);
  expect((await process.get("/healthz")).status).toBe(200);
  expect((await process.get("/readyz")).status).toBe(503);
  expect((await process.post("/webhook/hook", { n: 2 })).status).toBe(503);
  full = false;
  await eventually(async () => expect((await process.get("/readyz")).status).toBe(200));
  expect((await process.post("/webhook/hook", { n: 3 })).status).toBe(200);
  await agent.until(2);
  expect(agent.got.map(({ payload }) => payload.n)).toEqual([1, 3]);
  await eventually(async () => expect((await process.status()).unacked).toBe(0));
});

test("a data directory that is deleted under the process is answered 503 from then on, and a drain still ends it", async () => {
  const { agent, parts, topology } = oneActor();
  const process = await startFixture(topology, parts);
  expect((await process.post("/webhook/hook", { n: 1 })).status).toBe(200);
  await agent.until(1);
  await rm(process.dataDir, { recursive: true });
  await eventually(async () =>
    expect((await process.post("/webhook/hook", { n: 2 })).status).toBe(503),
  );
  for (const n of [3, 4]) {
    const refused = await process.post("/webhook/hook", { n });
    expect([refused.status, await refused.json()]).toEqual([
      503,
      { error: expect.stringContaining("removed while the log was open") },
    ]);
    expect((await process.get("/readyz")).status).toBe(503);
  }
  await process.drain();
  expect(await process.closed).toBeUndefined();
});

test("a failed fsync ends the process with its error", async () => {
  let failing = false;
  const { parts, topology } = oneActor();
  const process = await startFixture(topology, parts, {
    openBus: onDisk((operation) => {
      if (operation === "sync" && failing) throw Object.assign(new Error("EIO"), { code: "EIO" });
    }),
  });
  failing = true;
  expect((await process.post("/webhook/hook", { n: 1 })).status).toBe(503);
  expect(await process.closed).toMatchObject({ code: "WAL_FAILED" });
});

test("after a restart only the routes that were not settled are delivered again", async () => {
  const dataDir = await temporaryDir();
  const routes = [route("one", "hook", "done"), route("two", "hook", "stuck")];
  const first = { done: recordingActor(), stuck: recordingActor(() => new Promise(() => {})) };
  const sources = { hook: jsonWebhook() };
  const before = await startFixture(
    topologyOf({ sources, actors: first }, routes, { bus: "file" }),
    { sources, actors: first },
    { dataDir, drainMs: 10 },
  );
  for (const n of [1, 2, 3]) await before.post("/webhook/hook", { n, key: `k${n}` });
  await first.done.until(3);
  expect((await before.status()).unacked).toBe(3);
  await before.drain();

  const second = { done: recordingActor(), stuck: recordingActor() };
  const after = await startFixture(
    topologyOf({ sources, actors: second }, routes, { bus: "file" }),
    { sources, actors: second },
    { dataDir },
  );
  await second.stuck.until(3);
  await after.post("/webhook/hook", { n: 4 });
  await second.stuck.until(4);
  await second.done.until(1);
  expect(second.done.got.map(({ payload }) => payload.n)).toEqual([4]);
  expect(second.stuck.got.map(({ payload }) => payload.n)).toEqual([1, 2, 3, 4]);
  await after.drain();
  const last = await startFixture(
    topologyOf({ sources, actors: second }, routes, { bus: "file" }),
    { sources, actors: second },
    { dataDir },
  );
  expect((await last.status()).unacked).toBe(0);
});

test("a page whose checkpoint was lost comes again with the same ids: nothing of it is routed twice", async () => {
  const dataDir = await temporaryDir();
  const source: Source = {
    async *poll(checkpoint): AsyncGenerator<SourcePage> {
      for (let n = Number(checkpoint ?? 0) + 1; n <= 3; n += 1) {
        const events = [{ identity: `${n}`, provenance: { platform: "test" }, payload: { n } }];
        yield { events, checkpoint: `${n}` };
      }
    },
  };
  const run = async () => {
    const agent = recordingActor();
    const parts = { sources: { feed: source }, actors: { agent } };
    const topology = topologyOf(parts, [route("all", "feed", "agent")], { bus: "file" });
    const process = await startFixture(topology, parts, { dataDir });
    return { agent, process };
  };
  const first = await run();
  await first.agent.until(3);
  await first.process.drain();
  const checkpoints = fileCheckpoints({ dir: join(dataDir, "checkpoints") });
  expect(await checkpoints.get("feed")).toBe("3");
  await checkpoints.set("feed", "1");
  const second = await run();
  const repeats = () => second.process.entries.filter(({ phase }) => phase === "source.repeat");
  await eventually(() => expect(repeats()).toHaveLength(2));
  await second.process.drain();
  expect(repeats().map(({ event_id }) => event_id)).toEqual(
    first.agent.got.slice(1).map(({ id }) => id),
  );
  expect(second.agent.got).toEqual([]);
  expect(await checkpoints.get("feed")).toBe("3");
});
