import type { Topology, Transform } from "@orgloop/sdk";
import { SAMPLE_DEFAULTS } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { batchFixture, eventOf, recordOf, routeOf } from "./batch-fixture.ts";
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
