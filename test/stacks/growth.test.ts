import { newLayout, shardOf } from "@orgloop/aws/plan";
import type { Topology } from "@orgloop/sdk";
import { FORTUNE_50 } from "@orgloop/testkit";
import { beforeAll, expect, test } from "vitest";
import { SECRETS, stackLaws } from "./laws.ts";
import { enterprise, smallFiles } from "./organisations.ts";
import { loadTopology, type Synthesized, synthesize } from "./synthesize.ts";

let small: Topology;
let created: Synthesized;
let grown: Synthesized;

beforeAll(async () => {
  small = await loadTopology(smallFiles(), SECRETS);
  created = synthesize(small);
  const large = await loadTopology(enterprise(FORTUNE_50));
  const both = {
    ...large,
    sources: [...small.sources, ...large.sources],
    actors: [...small.actors, ...large.actors],
    transforms: [...small.transforms, ...large.transforms],
    routes: [...small.routes, ...large.routes],
  };
  // As it was written down before there were stacks of alarms.
  const { alarms: _, ...layout } = newLayout(small);
  grown = synthesize(both, { layout, existing: siblings(created) });
});

stackLaws(() => grown);

/** As a deploy finds them. */
const siblings = ({ stacks }: Synthesized): ReadonlySet<string> =>
  new Set([...stacks.keys()].filter((name) => /-\d+$/.test(name)));

/** By what CloudFormation knows them: stack and logical id. */
const ofType = ({ stacks }: Synthesized, ...types: readonly string[]) =>
  [...stacks].flatMap(([stack, { resources }]) =>
    Object.entries(resources)
      .filter(([, { Type }]) => types.includes(Type))
      .map(([id, { Properties }]) => `${stack} ${id} ${Properties.QueueName ?? Properties.Name}`),
  );

test("a small stage has the stacks that something lies in, and no other", () => {
  const { actors } = newLayout(small);
  const used = new Set(small.actors.map(({ id }) => `actors-${shardOf(id, actors)}`));
  const made = [...created.stacks.keys()].filter((name) => name.startsWith("actors-"));
  expect(new Set(made)).toEqual(used);
  expect(created.stacks.size).toBeLessThan(20);
});

test("a stage created with three actors grows to 500 and 2,000 sources: what was there stays where it is", () => {
  const types = ["AWS::SQS::Queue", "AWS::Scheduler::Schedule", "AWS::DynamoDB::Table"];
  const before = ofType(created, ...types);
  const after = ofType(grown, ...types);
  expect(before.length).toBeGreaterThan(5);
  expect(after).toEqual(expect.arrayContaining(before));
  expect(grown.ofType("AWS::SQS::Queue").length).toBe(2 * (2 + small.actors.length + 500));
  expect([...grown.stacks.keys()]).toEqual(expect.arrayContaining([...created.stacks.keys()]));
});

test("a stage that shrinks empties its stacks: none of them is forgotten", () => {
  const shrunk = synthesize(small, { existing: siblings(grown) });
  expect([...shrunk.stacks.keys()].sort()).toEqual([...grown.stacks.keys()].sort());
  const left = [...shrunk.stacks].filter(([name]) => !created.stacks.has(name));
  expect(left.length).toBeGreaterThan(10);
  for (const [name, { resources }] of left) {
    expect([name, Object.keys(resources)]).toEqual([name, ["Shard"]]);
  }
});
