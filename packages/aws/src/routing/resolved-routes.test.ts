// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested

import type { RouteSpec, SourceSpec, Topology } from "@orgloop/sdk";
import { SAMPLE_DEFAULTS, storedLetters } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { batchFixture, eventOf, recordOf, routeOf } from "../delivery/batch-fixture.ts";
import { routeBatch } from "./route-batch.ts";
import { routeTopology } from "./route-topology.ts";

const source = (id: string, fields: Partial<SourceSpec> = {}): SourceSpec => ({
  id,
  connector: "c",
  config: {},
  ...fields,
});

function routeFrom(name: string, filter: unknown, from = ["s"]): RouteSpec {
  const when = { source: from, events: ["resource.changed"], filter };
  return { ...routeOf(), name, when } as RouteSpec;
}

/** Routes an event of each of these sources; later ones come to the same warm function. */
async function warm(
  routes: readonly RouteSpec[],
  sources = [source("s"), source("other")],
  defaults: Topology["defaults"] = SAMPLE_DEFAULTS,
) {
  const it = batchFixture();
  const base = it.routing([]);
  const topology = {
    ...{ project: "acme", workspace: "test", bus: { url: "sqs" } },
    ...{ defaults, sources, routes },
    ...{ actors: [], transforms: [], loggers: [] },
  } as Topology;
  const options = {
    ...base,
    ...(await routeTopology({
      topology,
      openTransform: () => Promise.reject(new Error("there is none")),
      secrets: it.delivering.secrets,
      clock: it.clock,
      flow: base.flow,
    })),
  };
  let events = 0;
  const route = async (from: string) => {
    events += 1;
    const event = eventOf(`${events}`, { source: from, payload: { team: "red" } });
    const body = JSON.stringify({ v: 1, event });
    const record = recordOf(body, from, it.clock.now());
    expect(await routeBatch([record], () => 30_000, options)).toEqual({ batchItemFailures: [] });
    const to = it.sent.splice(0).map((one) => JSON.parse(one.body).delivery);
    return to.map(({ route, orderingKey }) => `${route} by ${orderingKey}`);
  };
  const letters = async () =>
    (await storedLetters(it.deadLetters)).map((letter) => ({
      route: letter.route,
      reason: letter.reason,
      error: letter.last_error,
      untransformed: letter.untransformed,
    }));
  return { ...it, route, letters };
}

test("a secret of a filter that is not set is a fault of the events that could reach its route, until it is set", async () => {
  const it = await warm([
    routeFrom("unset", { "payload.team": "${TEAM}" }),
    routeFrom("plain", { "payload.team": "red" }, ["s", "other"]),
  ]);
  expect(await it.route("s")).toEqual(["plain by s"]);
  expect(await it.route("other")).toEqual(["plain by other"]);
  expect(await it.letters()).toEqual([
    {
      route: "unset",
      reason: "invalid",
      error: 'route "unset": TEAM not set: sst secrets set NAME VALUE --stage STAGE',
      untransformed: true,
    },
  ]);
  it.parameters.set("/p/TEAM/value", "red");
  expect(await it.route("s")).toEqual(["unset by s", "plain by s"]);
  it.parameters.set("/p/TEAM/value", "blue");
  await it.clock.advance(300_000);
  expect(await it.route("s")).toEqual(["plain by s"]);
  expect(await it.letters()).toHaveLength(1);
});

test("a secret that makes no filter is a fault of its route alone", async () => {
  const it = await warm([
    routeFrom("odd", { "payload.address": [{ cidr: "${NET}" }] }),
    routeFrom("plain", {}),
  ]);
  it.parameters.set("/p/NET/value", "no network");
  expect(await it.route("s")).toEqual(["plain by s"]);
  expect(await it.letters()).toMatchObject([
    {
      route: "odd",
      reason: "invalid",
      error: expect.stringMatching(/route "odd": when\.filter\..*cidr/),
    },
  ]);
});

test("a key that is a reference is resolved; unset, it is a fault of its source's, or its route's, events", async () => {
  const routes = [routeFrom("plain", {}, ["s", "other"])];
  const own = { ...routes[0], name: "own" } as RouteSpec;
  const keyed = { ...own, delivery: { ...own.delivery, key: "${OWN}" } };
  const it = await warm([...routes, keyed], [source("s", { key: "${KEY}" }), source("other")]);
  it.parameters.set("/p/OWN/value", "payload.team");
  expect(await it.route("other")).toEqual(["plain by other", "own by red"]);
  expect(await it.route("s")).toEqual([]);
  expect(await it.letters()).toHaveLength(2);
  it.parameters.set("/p/KEY/value", "payload.team");
  expect(await it.route("s")).toEqual(["plain by red", "own by red"]);
});

test("a repeat window that is not set, or none, counts as not written and is said", async () => {
  const sources = [source("s", { repeat_window: "${UNSET}" }), source("other")];
  const it = await warm([routeFrom("plain", {}, ["s", "other"])], sources, {
    ...SAMPLE_DEFAULTS,
    repeat_window: "${WINDOW}",
  });
  expect(await it.route("s")).toEqual(["plain by s"]);
  expect(await it.route("other")).toEqual(["plain by other"]);
  expect(it.entries).toMatchObject([
    { phase: "system.error", error: expect.stringContaining("WINDOW not set") },
    { phase: "system.error", source: "s", error: expect.stringContaining("UNSET not set") },
    {},
    {},
  ]);
});
