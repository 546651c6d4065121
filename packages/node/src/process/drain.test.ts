import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { memoryBus } from "@orgloop/bus/memory";
import { OrgLoopError, type Transform } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { isDataDirLocked } from "../data/data-dir-locked.ts";
import {
  jsonWebhook,
  lookupOf,
  recordingActor,
  route,
  startFixture,
  TOKEN,
  temporaryDir,
  topologyOf,
} from "./process-fixture.ts";
import { startProcess } from "./start-process.ts";

test("a drain stops intake, lets attempts in flight end, aborts the rest, and leaves what is unsettled", async () => {
  const begun = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  let aborted = false;
  const quick = recordingActor(async () => {
    begun.resolve();
    await finish.promise;
  });
  const stuck = recordingActor(
    (_, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          aborted = true;
          reject(signal.reason);
        });
      }),
  );
  const parts = { sources: { a: jsonWebhook(), b: jsonWebhook() }, actors: { quick, stuck } };
  const bus = memoryBus();
  const process = await startFixture(
    topologyOf(parts, [route("quick", "a", "quick"), route("stuck", "b", "stuck")]),
    parts,
    { openBus: async () => bus, drainMs: 50 },
  );
  await process.post("/webhook/a", { n: 1 });
  await process.post("/webhook/b", { n: 2 });
  await process.post("/webhook/b", { n: 3 });
  await begun.promise;
  const draining = process.drain();
  const refused = await process.post("/webhook/a", { n: 4 });
  expect([refused.status, refused.headers.has("retry-after")]).toEqual([503, true]);
  expect((await process.get("/readyz")).status).toBe(503);
  expect((await process.get("/healthz")).status).toBe(200);
  finish.resolve();
  await draining;
  await process.drain();
  expect(await process.closed).toBeUndefined();
  expect(quick.got.map(({ payload }) => payload.n)).toEqual([1]);
  expect(aborted).toBe(true);
  expect((await bus.unacked()).map(({ payload }) => payload.n)).toEqual([2, 3]);
  expect(process.entries.filter(({ phase }) => /deliver\.(retry|failure)/.test(phase))).toEqual([]);
  expect(process.entries.at(-1)?.phase).toBe("runtime.stop");
  const log = await readFile(join(process.dataDir, "log", "events.jsonl"), "utf8");
  expect(
    log
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).phase),
  ).toEqual(process.entries.map(({ phase }) => phase));
  expect(await isDataDirLocked(process.dataDir)).toBe(false);
});

test("an event whose transform is cut short by a drain is not dropped: it comes again", async () => {
  const begun = Promise.withResolvers<void>();
  const slow: Transform = {
    execute() {
      begun.resolve();
      return new Promise(() => {});
    },
  };
  const parts = {
    sources: { a: jsonWebhook() },
    actors: { agent: recordingActor() },
    transforms: { slow },
  };
  const bus = memoryBus();
  const routes = [{ ...route("r", "a", "agent"), transforms: [{ ref: "slow" }] }];
  const process = await startFixture(topologyOf(parts, routes), parts, {
    openBus: async () => bus,
    drainMs: 10,
  });
  await process.post("/webhook/a", { n: 1 });
  await begun.promise;
  await process.drain();
  expect((await bus.unacked()).map(({ payload }) => payload.n)).toEqual([1]);
});

test("a bus that failed ends the process with its error, and nothing more is taken", async () => {
  const agent = recordingActor();
  const parts = { sources: { a: jsonWebhook() }, actors: { agent } };
  const failure = new OrgLoopError("WAL_FAILED", "fdatasync failed (EIO)");
  const bus = memoryBus();
  const failing = {
    ...bus,
    publishAll: async () => {
      throw failure;
    },
  };
  const process = await startFixture(topologyOf(parts, []), parts, {
    openBus: async () => failing,
    drainMs: 60_000,
  });
  const answer = await process.post("/webhook/a", {});
  expect(answer.status).toBe(503);
  expect(await process.closed).toBe(failure);
  expect(process.entries).toContainEqual(
    expect.objectContaining({ phase: "system.error", error: failure.message }),
  );
});

test("a start that fails leaves nothing open", async () => {
  const parts = { sources: { a: jsonWebhook() }, actors: {} };
  const first = await startFixture(topologyOf(parts, []), parts);
  const dataDir = await temporaryDir();
  const starting = startProcess({
    topology: topologyOf(parts, []),
    projectDir: dataDir,
    dataDir,
    env: {},
    token: TOKEN,
    lookup: lookupOf(parts),
    port: first.address.port,
  });
  await expect(starting).rejects.toMatchObject({ code: "PORT_IN_USE" });
  expect(await isDataDirLocked(dataDir)).toBe(false);
  await startFixture(topologyOf(parts, []), parts, { dataDir });
});

test("a drain does not wait for room on a full disk: what could not be acked comes again", async () => {
  const inner = memoryBus();
  const acking = Promise.withResolvers<void>();
  const full = Promise.withResolvers<void>();
  const bus = Object.assign(Object.create(inner), {
    // As the file bus does: an ack waits for room, and fails when the bus is closed without it.
    ack: () => {
      acking.resolve();
      return full.promise;
    },
    close: async () => {
      full.reject(Object.assign(new Error("no space left on device"), { code: "ENOSPC" }));
      await inner.close();
    },
  }) as typeof inner;
  const parts = { sources: { a: jsonWebhook() }, actors: { x: recordingActor() } };
  const process = await startFixture(topologyOf(parts, [route("to", "a", "x")]), parts, {
    openBus: async () => bus,
    drainMs: 50,
  });
  await process.post("/webhook/a", { n: 1 });
  await acking.promise;
  await process.drain();
  expect(await process.closed).toBeUndefined();
  expect((await inner.unacked()).map(({ payload }) => payload.n)).toEqual([1]);
});
