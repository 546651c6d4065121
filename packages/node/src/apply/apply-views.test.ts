import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  TOKEN,
} from "../process/process-fixture.ts";
import { awaiting, configured, hook, partMaker, recording, running } from "./apply-fixture.ts";

const headers = { authorization: `Bearer ${TOKEN}` };

test("whatever is asked tells of the new configuration at once, and the counts go on", async () => {
  const first = { ...hook, actors: { a: {} }, routes: [route("one", "hook", "a")] };
  const { apply, send, settled, process, record } = await running(first);
  await send();
  await settled();
  await apply({
    sources: { other: {} },
    actors: { a: {}, b: {} },
    routes: [route("one", "other", "a"), route("two", "other", "b")],
  });
  const names = async (path: string, key: string) => {
    const answer = (await (await process.get(path)).json()) as Record<string, unknown>[];
    return answer.map((one) => one[key]);
  };
  expect(await names("/api/sources", "id")).toEqual(["other"]);
  expect(await names("/api/routes", "name")).toEqual(["one", "two"]);
  expect(await names("/api/routes", "fire_count")).toEqual([1, 0]);
  const gone = await process.post("/webhook/hook", { n: 9 });
  expect([gone.status, await gone.json()]).toEqual([
    404,
    { error: 'no source "hook" takes webhooks' },
  ]);
  await send({}, "other");
  await record.reached(3);
  await settled();
  const metrics = await (await process.get("/metrics")).text();
  expect(metrics).toContain(
    'orgloop_events_routed_total{route="one",connector="test/connector"} 2',
  );
  expect(metrics).toContain('orgloop_actor_queued{actor="b"} 0');
  expect(metrics).toContain("orgloop_connected_sources 1");
  await apply({ actors: { b: {} } });
  const later = await (await process.get("/metrics")).text();
  expect(later).not.toContain('orgloop_actor_queued{actor="a"}');
  expect(later).not.toContain('orgloop_route_circuit{route="one"}');
});

test("a dead letter of a route that has gone is not replayed; after the route is back it is", async () => {
  const first = {
    ...hook,
    actors: { a: {} },
    routes: [
      route("one", "hook", "a", {
        retry: { ...route("x", "x", "x").delivery.retry, max_attempts: 1 },
      }),
    ],
  };
  let isIll = true;
  const agent = recordingActor(() => {
    if (isIll) throw new Error("ill");
  });
  const { apply, send, settled, process } = await running(first, { actor: () => agent });
  await send();
  await settled();
  isIll = false;
  const replay = async () =>
    (await process.post("/control/dead-letters/replay", {}, { headers })).json();
  await apply(hook);
  expect(await replay()).toMatchObject({
    refused: [{ error: expect.stringContaining("no longer exists") }],
  });
  await apply(first);
  expect(await replay()).toMatchObject({ refused: [] });
  await agent.until(1);
});

test("what a restart would know of a route goes with it", async () => {
  const circuit_breaker = { failure_threshold: 1, cooldown: "1h", max_cooldown: "1h" };
  const first = {
    ...hook,
    actors: { a: {} },
    routes: [route("one", "hook", "a", { circuit_breaker })],
  };
  const { apply, send, process } = await running(first, {
    actor: () => ({
      async deliver() {
        throw new Error("ill");
      },
    }),
  });
  await send();
  await process.entry("circuit.open");
  const kept = async (): Promise<string> =>
    readFile(join(process.dataDir, "route-state.jsonl"), "utf8").catch(() => "");
  await expect.poll(kept).toContain('"route":"one","state":{');
  await apply({ ...hook, actors: { a: {} } });
  await expect.poll(kept).toMatch(/"route":"one","state":null\}\n$/);
});

test("every attempt of a delivery has the same id, whatever routes its actor has by then", async () => {
  const first = { ...hook, actors: { a: {} }, routes: [route("one", "hook", "a")] };
  const attempted = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const ids: (string | undefined)[] = [];
  const { apply, send, settled } = await running(first, {
    actor: () => ({
      async deliver(_, { deliveryId, attempt }) {
        ids.push(deliveryId);
        attempted.resolve();
        await goOn.promise;
        if (attempt === 1) throw new Error("once more");
        return undefined;
      },
    }),
  });
  await send();
  await attempted.promise;
  await apply({ ...first, routes: [...first.routes, route("two", "other", "a")] });
  goOn.resolve();
  await settled();
  expect(ids).toHaveLength(2);
  expect(ids[1]).toBe(ids[0]);
});

test("events that wait for their actor are there after a restart, which may bring it", async () => {
  const first = { ...hook, bus: "file", routes: [awaiting("one", "hook", "later")] };
  const { send, process } = await running(first);
  for (let n = 0; n < 3; n += 1) await send({ key: "k" });
  await expect.poll(() => process.status().routes[0]?.matched).toBe(3);
  await process.drain();
  const record = recording();
  const { lookup } = partMaker({ source: jsonWebhook, actor: record.actor });
  const { dataDir } = process;
  const next = configured({ ...first, actors: { later: {} } });
  const again = await startFixture(next, {}, { lookup, dataDir });
  await expect.poll(() => again.status().unacked).toBe(0);
  expect(record.got).toEqual(["later@1: 1", "later@1: 2", "later@1: 3"]);
});
