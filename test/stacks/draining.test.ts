import type { ActorSpec, Topology } from "@orgloop/sdk";
import { type DrainingActor, stillDraining } from "@orgloop/stacks";
import { expect, test } from "vitest";
import { smallFiles } from "./organisations.ts";
import { loadTopology, type Synthesized, synthesize } from "./synthesize.ts";

const loaded = () => loadTopology(smallFiles());

const without = (topology: Topology, actor: string): Topology => ({
  ...topology,
  actors: topology.actors.filter(({ id }) => id !== actor),
  routes: topology.routes.filter(({ then }) => then.actor !== actor),
});

const drainingOf = ({ actors }: Topology, actor: string): DrainingActor[] =>
  actors.filter(({ id }) => id === actor).map((one) => ({ ...one, routes: [] }));

const queuesOf = (made: Synthesized, actor: string) =>
  made
    .ofType("AWS::SQS::Queue")
    .map(({ Properties }) => String(Properties.QueueName))
    .filter((name) => name.includes(`-actor-${actor}-`));

/** The ids that a deploy keeps, given what it finds. */
const kept = (
  topology: Topology,
  before: { actors?: readonly ActorSpec[]; draining?: readonly DrainingActor[]; empty?: string[] },
) => {
  const { actors = [], draining = [], empty = [] } = before;
  const deployed = { project: null, actors, routes: [], draining, empty: new Set(empty) };
  return stillDraining(topology, deployed).map(({ id }) => id);
};

test("a removed actor keeps its queues and its function, as it was, until it is empty", async () => {
  const before = await loaded();
  const after = without(before, "triage");
  const draining = stillDraining(after, {
    project: before.project,
    actors: before.actors,
    routes: before.routes,
    draining: [],
    empty: new Set(["triage"]),
  });
  const first = synthesize(after, { draining });
  expect(queuesOf(first, "triage").length).toBe(2);
  const deliver = first
    .ofType("AWS::Lambda::Function")
    .find(({ Properties }) => Properties.Description === "Delivers to triage");
  expect(JSON.parse(deliver?.Properties.Environment.Variables.ORGLOOP_SPEC).actors[0]).toEqual(
    before.actors.find(({ id }) => id === "triage"),
  );
  // The router does not know it any more: nothing new comes.
  const spec = [...first.files()].find(
    ([file, text]) => file.startsWith("specs/") && text.includes('"routes"'),
  );
  expect(
    JSON.parse(spec?.[1] ?? "{}").topology.actors.map(({ id }: ActorSpec) => id),
  ).not.toContain("triage");
  expect(kept(after, { actors: after.actors, draining, empty: ["triage"] })).toEqual([]);
  expect(queuesOf(synthesize(after), "triage")).toEqual([]);
});

test("it stays while it has messages, deploy after deploy", async () => {
  const before = await loaded();
  const after = without(before, "triage");
  const draining = stillDraining(after, { ...before, draining: [], empty: new Set() });
  expect(draining.map(({ id }) => id)).toEqual(["triage"]);
  expect(kept(after, { actors: after.actors, draining })).toEqual(["triage"]);
});

test("it stays over the deploy that removes it even if it is empty: the router before it may still send to it", async () => {
  const before = await loaded();
  const after = without(before, "triage");
  expect(kept(after, { actors: before.actors, empty: ["triage"] })).toEqual(["triage"]);
  // A deploy that failed half-way has recorded nothing: the next one finds the same.
  const draining = drainingOf(before, "triage");
  expect(kept(after, { actors: before.actors, draining, empty: ["triage"] })).toEqual(["triage"]);
});

test("what waits for a removed actor has its timeout and its secrets until it is delivered", async () => {
  const before = await loaded();
  const first = synthesize(before);
  for (const [actor, route] of [
    ["slow", "slow"],
    ["reviewer", "reviews"],
  ] as const) {
    const after = without(before, actor);
    const deployed = { ...before, draining: [], empty: new Set<string>() };
    const draining = stillDraining(after, deployed);
    expect(draining.map(({ routes }) => routes.map(({ name }) => name))).toEqual([[route]]);
    // The next deploy finds only what this one has recorded.
    const later = {
      project: after.project,
      actors: after.actors,
      routes: after.routes,
      draining,
      empty: new Set<string>(),
    };
    expect(stillDraining(after, later)).toEqual(draining);
    expect(delivererOf(synthesize(after, { draining }), actor)).toEqual(delivererOf(first, actor));
  }
});

test("what waits for an actor has the secrets of the route it came by, which has changed since", async () => {
  const before = await loaded();
  const routes = before.routes.map((one) =>
    one.name === "reviews" ? { ...one, then: { ...one.then, config: {} } } : one,
  );
  const readers = (made: Synthesized) =>
    made.ofType("AWS::IAM::Role").filter((role) => JSON.stringify(role).includes("REVIEW_TONE"));
  const after = { ...before, routes };
  expect(readers(synthesize(after, { former: before.routes }))).toEqual(
    readers(synthesize(before)),
  );
  expect(readers(synthesize(after, { former: after.routes }))).toEqual([]);
});

/**
 * What is deployed of an actor's deliver function: the function, its role, its queue and the
 * mapping between them.
 */
const delivererOf = (made: Synthesized, actor: string) =>
  [...made.stacks].flatMap(([, { resources }]) =>
    Object.values(resources).filter((one) => JSON.stringify(one).includes(`-${actor}-`)),
  );

test("an actor that comes back is one actor, not two", async () => {
  const before = await loaded();
  const draining = drainingOf(before, "triage");
  expect(kept(before, { actors: without(before, "triage").actors, draining })).toEqual([]);
});

test("the last actor of a shard leaves its stack in place", async () => {
  const topology = await loaded();
  const alone = without(without(topology, "triage"), "slow");
  const layout = { actors: 8, pollers: 1, sources: 1 };
  const shards = (of: Synthesized) =>
    [...of.stacks.keys()].filter((name) => name.startsWith("actors-"));
  const before = shards(synthesize(topology, { layout }));
  expect(before.length).toBeGreaterThan(1);
  const after = synthesize(alone, { layout, existing: new Set(before) });
  expect(shards(after)).toEqual(before);
});

test("a stage keeps the number of stacks that it was created with, and says when they are full", async () => {
  const topology = await loaded();
  const many = Array.from({ length: 90 }, (_, at) => ({
    ...topology.actors[0],
    id: `actor-${at}`,
  }));
  const grown = { ...topology, actors: [...topology.actors, ...many] } as Topology;
  expect(() => synthesize(grown, { layout: { actors: 1, pollers: 1, sources: 1 } })).toThrow(
    /orgloop-production-actors-0 would have \d+ resources.*as a new stage/s,
  );
});
