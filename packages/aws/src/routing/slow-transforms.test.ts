import type { Topology, Transform } from "@orgloop/sdk";
import { SAMPLE_DEFAULTS } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { batchFixture, eventOf, recordOf, routeOf } from "../delivery/batch-fixture.ts";
import { routeBatch } from "./route-batch.ts";
import { routeTopology } from "./route-topology.ts";

const hanging: Transform = { execute: () => new Promise(() => undefined) };

test.each([1, 2, 5])(
  "%i transforms of a route that hang leave the router time to go on without them",
  async (count) => {
    const it = batchFixture();
    const names = Array.from({ length: count }, (_, at) => `t${at}`);
    const route = { ...routeOf(), transforms: names.map((ref) => ({ ref })) };
    const topology = {
      routes: [{ ...route, when: { source: ["s"], events: ["resource.changed"] } }],
      sources: [],
      actors: [],
      defaults: SAMPLE_DEFAULTS,
      transforms: names.map((name) => ({
        name,
        type: "script",
        timeout_ms: 30_000,
        on_error: "pass",
      })),
    } as unknown as Topology;
    const base = it.routing([]);
    const options = {
      ...base,
      ...(await routeTopology({
        topology,
        openTransform: async () => hanging,
        secrets: it.delivering.secrets,
        clock: it.clock,
        flow: base.flow,
      })),
    };
    const record = recordOf(JSON.stringify({ v: 1, event: eventOf("1") }), "s", it.clock.now());
    const startMs = it.clock.now();
    const done = routeBatch([record], () => 30_000 - (it.clock.now() - startMs), options);
    await it.clock.advance(30_000);
    expect(await done).toEqual({ batchItemFailures: [] });
    expect(it.sent).toHaveLength(1);
  },
);

test.each([
  { asked: [12_000, 8_000], have: [12_000, 20_000] },
  { asked: [12_000, 30_000], have: [12_000, 20_000] },
  { asked: [30_000, 30_000], have: [10_000, 20_000] },
])("transforms that ask for $asked ms end by $have ms", async ({ asked, have }) => {
  const names = asked.map((_, at) => `t${at}`);
  const route = { ...routeOf(), transforms: names.map((ref) => ({ ref })) };
  const it = batchFixture();
  const { routerFor } = await routeTopology({
    topology: {
      routes: [route],
      sources: [],
      actors: [],
      defaults: SAMPLE_DEFAULTS,
      transforms: asked.map((timeout_ms, at) => ({
        name: names[at],
        timeout_ms,
        on_error: "pass",
      })),
    } as unknown as Topology,
    openTransform: async () => hanging,
    secrets: it.delivering.secrets,
    clock: it.clock,
    flow: it.delivering.flow,
  });
  const startMs = it.clock.now();
  const router = await routerFor(new AbortController().signal);
  const [first, second] = router.transformsOf(route);
  const ended = [first, second].map(async (transform) => {
    await transform?.execute(eventOf("1")).catch(() => undefined);
    return it.clock.now() - startMs;
  });
  await it.clock.advance(30_000);
  const [one = 0, two = 0] = await Promise.all(ended);
  expect([one, one + two]).toEqual(have);
});
