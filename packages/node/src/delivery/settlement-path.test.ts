import { openFileBus } from "@orgloop/bus/file";
import { OrgLoopError, PermanentError } from "@orgloop/sdk";
import { expect, test } from "vitest";
import {
  eventually,
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  temporaryDir,
  topologyOf,
} from "../process/process-fixture.ts";

test("an event that a transform renames is delivered, buried and settled under its own id", async () => {
  const failing = recordingActor(() => {
    throw new PermanentError("no");
  });
  const agent = recordingActor();
  const parts = {
    sources: { hook: jsonWebhook() },
    actors: { agent, failing },
    transforms: {
      rename: {
        execute: async (event: Parameters<typeof agent.deliver>[0]) => ({
          ...event,
          id: "evt_same",
          payload: { n: event.payload.n, renamed: true },
        }),
      },
    },
  };
  const transforms = [{ ref: "rename" }];
  const routes = [
    { ...route("a", "hook", "agent"), transforms },
    { ...route("b", "hook", "failing"), transforms },
  ];
  const process = await startFixture(topologyOf(parts, routes), parts);
  for (const n of [1, 2]) await process.post("/webhook/hook", { n });
  await eventually(() => expect(process.status()).toMatchObject({ unacked: 0, dead_letters: 2 }));
  const emitted = process.entries.filter(({ phase }) => phase === "source.emit");
  expect(agent.got.map(({ id }) => id)).toEqual(emitted.map(({ event_id }) => event_id));
  expect(agent.got[0]?.payload).toEqual({ n: 1, renamed: true });
});

test("two routes to one actor bring it the event twice, told apart and the same over attempts", async () => {
  const ids: [string, number, string | undefined][] = [];
  const agent = recordingActor((_, { route, attempt, deliveryId }) => {
    ids.push([route, attempt, deliveryId]);
    if (route === "a" && attempt === 1) throw new Error("again");
  });
  const other = recordingActor((_, { route, attempt, deliveryId }) => {
    ids.push([route, attempt, deliveryId]);
  });
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent, other } };
  const routes = [
    route("a", "hook", "agent"),
    route("b", "hook", "agent"),
    route("c", "hook", "other"),
  ];
  const process = await startFixture(topologyOf(parts, routes), parts);
  await process.post("/webhook/hook", { n: 1 });
  await eventually(() => expect(process.status().unacked).toBe(0));
  const idOf = (name: string, attempt: number) =>
    ids.find(([route, number]) => route === name && number === attempt)?.[2];
  expect(ids).toHaveLength(4);
  expect(idOf("a", 1)).toBe(idOf("a", 2));
  expect(idOf("a", 1)).not.toBe(idOf("b", 1));
  expect(idOf("c", 1)).toBe(other.got[0]?.id);
});

test("a route that is gone no longer holds its events; what other routes wait for is still delivered", async () => {
  const dataDir = await temporaryDir();
  const stuck = recordingActor((_, { signal }) => {
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  });
  const free = recordingActor();
  const parts = { sources: { hook: jsonWebhook() }, actors: { stuck } };
  const both = [route("gone", "hook", "stuck"), route("stays", "hook", "stuck")];
  const first = await startFixture(topologyOf(parts, both, { bus: "file" }), parts, {
    dataDir,
    drainMs: 1,
  });
  for (const n of [1, 2, 3]) await first.post("/webhook/hook", { n });
  await first.drain();

  const freed = { ...parts, actors: { stuck: free } };
  const only = [route("stays", "hook", "stuck")];
  const second = await startFixture(topologyOf(freed, only, { bus: "file" }), freed, { dataDir });
  await eventually(() => expect(second.status().unacked).toBe(0));
  expect(free.got.map(({ payload }) => payload.n)).toEqual([1, 2, 3]);
});

test("a death between burial and settlement repeats neither the attempts nor the letter", async () => {
  const dataDir = await temporaryDir();
  let calls = 0;
  const agent = recordingActor(() => {
    calls += 1;
    throw new PermanentError("no");
  });
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent } };
  const topology = topologyOf(parts, [route("r", "hook", "agent")], { bus: "file" });
  const first = await startFixture(topology, parts, {
    dataDir,
    openBus: async ({ dir, now }) => {
      const bus = await openFileBus({ dir, now });
      const ack = () => Promise.reject(new OrgLoopError("BUS_CLOSED", "died before"));
      return { ...bus, ack };
    },
  });
  await first.post("/webhook/hook", { n: 1 });
  await eventually(() => expect(first.status().dead_letters).toBe(1));
  await first.drain();
  const second = await startFixture(topology, parts, { dataDir });
  await eventually(() => expect(second.status()).toMatchObject({ unacked: 0, dead_letters: 1 }));
  expect(calls).toBe(1);
});
