import { newLayout, shardOf, stageSize } from "@orgloop/aws/plan";
import type { Topology } from "@orgloop/sdk";
import { FORTUNE_50 } from "@orgloop/testkit";
import { beforeAll, describe, expect, test } from "vitest";
import { SECRETS, stackLaws } from "./laws.ts";
import { enterprise } from "./organisations.ts";
import { intake, loadTopology, type Synthesized, sizeOf, synthesize } from "./synthesize.ts";

let topology: Topology;
let made: Synthesized;

beforeAll(async () => {
  topology = await loadTopology(enterprise(FORTUNE_50), SECRETS);
  made = synthesize(topology);
});

stackLaws(() => made);

test("what is counted before a deploy is what the templates make", () => {
  expect(stageSize(topology, intake)).toMatchObject(sizeOf(made));
});

test("2,000 sources share a poller function a connector and team, 500 actors have one each", () => {
  const names = made
    .ofType("AWS::Lambda::Function")
    .map((it) => String(it.Properties.FunctionName));
  const count = (kind: string) =>
    names.filter((it) => it.startsWith(`orgloop-production-${kind}-`));
  expect(made.ofType("AWS::Scheduler::Schedule").length).toBe(2_000);
  expect(count("poll").length).toBe(FORTUNE_50.teams);
  expect(count("deliver").length).toBe(500);
  expect(made.ofType("AWS::IAM::Role").length).toBeLessThan(1_000);
});

test("one more actor changes its shard and the router's pointer only", () => {
  const actor = { ...topology.actors[0], id: "team-03/new", config: { url: "https://new.test" } };
  const after = synthesize({ ...topology, actors: [...topology.actors, actor] } as Topology, {});
  const written = ({ stacks }: Synthesized) =>
    new Map(
      [...stacks].flatMap(([stack, one]) =>
        Object.entries(one.written).map(([id, it]) => [`${stack} ${id}`, JSON.stringify(it)]),
      ),
    );
  const [left, right] = [written(made), written(after)];
  const added = [...right.keys()].filter((id) => !left.has(id));
  const shard = `actors-${shardOf(actor.id, newLayout(topology).actors)}`;
  expect(added.map((id) => id.split(" ")[0])).toEqual(Array.from(added, () => shard));
  expect(added.length).toBeGreaterThan(5);
  const changed = [...left].flatMap(([id, it]) => (right.get(id) === it ? [] : [id]));
  expect(changed).toEqual(["routing Topology"]);
});

describe("where functions are shared", () => {
  let shared: Synthesized;
  beforeAll(async () => {
    const aws = "aws: { pollers: per_connector, deliverers: per_connector }\n";
    shared = synthesize(await loadTopology(enterprise({ ...FORTUNE_50, teams: 1 }, aws), SECRETS));
  });

  stackLaws(() => shared);

  test("500 actors and 2,000 sources of one team have a function each kind", () => {
    const functions = shared
      .ofType("AWS::Lambda::Function")
      .map((it) => it.Properties.FunctionName);
    expect(functions.filter((it) => /-(poll|deliver)-/.test(it)).length).toBe(2);
    expect(shared.ofType("AWS::Lambda::EventSourceMapping").length).toBe(501);
  });
});
