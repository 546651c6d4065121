import { newLayout, shardOf, stacksOf, stageSize } from "@orgloop/aws/plan";
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
  // And that of the sweeper.
  expect(made.ofType("AWS::Scheduler::Schedule").length).toBe(2_000 + 1);
  expect(count("poll").length).toBe(FORTUNE_50.teams);
  expect(count("deliver").length).toBe(500);
  expect(made.ofType("AWS::IAM::Role").length).toBeLessThan(1_000);
});

test("one more actor changes its shards, the message that it shares and the router's pointer only", () => {
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
  const layout = newLayout(topology);
  const shards = [
    `actors-${shardOf(actor.id, layout.actors)}`,
    `alarms-${shardOf(actor.id, stacksOf(layout, "alarms"))}`,
  ];
  const stackOf = (id: string) => id.split(" ")[0] ?? "";
  expect(new Set(added.map(stackOf))).toEqual(new Set(shards));
  expect(added.length).toBeGreaterThan(8);
  const changed = [...left].flatMap(([id, it]) => (right.get(id) === it ? [] : [id]));
  expect(changed.map(stackOf).sort()).toEqual(["routing", shards[1], "alerts"].sort());
  expect(changed).toContain("routing Topology");
});

test("no search of the dashboard goes through more than the 500 names that it may", () => {
  const [dashboard] = made.ofType("AWS::CloudWatch::Dashboard");
  const body = String(dashboard?.Properties.DashboardBody);
  const names = new Map([
    ["AWS/SQS,QueueName", made.ofType("AWS::SQS::Queue").map((it) => it.Properties.QueueName)],
    [
      "AWS/Lambda,FunctionName",
      made.ofType("AWS::Lambda::Function").map((it) => it.Properties.FunctionName),
    ],
  ]);
  const searches = [
    ...new Set(
      [...body.matchAll(/SEARCH\('\{([^}]+)\} MetricName=\\"\w+\\" ([^']+)'/g)].map(
        ([, schema, words]) => `${schema}: ${words}`,
      ),
    ),
  ];
  expect(searches.length).toBeGreaterThan(3);
  for (const search of searches) {
    const [schema = "", words = ""] = search.split(": ");
    const [wanted = "", unwanted] = words.split(" NOT ");
    const found = (names.get(schema) ?? []).filter((name: string) => {
      const parts = new Set(name.split(/[^A-Za-z0-9]+/));
      const isOut = unwanted !== undefined && parts.has(unwanted);
      return !isOut && wanted.split(" ").every((word) => parts.has(word));
    });
    expect([search, found.length <= 500, found.length > 0]).toEqual([search, true, true]);
  }
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
    expect(shared.ofType("AWS::Lambda::EventSourceMapping").length).toBe(502);
  });
});
