import { awsNames, stageSize } from "@orgloop/aws/plan";
import type { Topology } from "@orgloop/sdk";
import { beforeAll, expect, test } from "vitest";
import { SECRETS, stackLaws, statements } from "./laws.ts";
import { smallFiles } from "./organisations.ts";
import { intake, loadTopology, type Synthesized, sizeOf, synthesize } from "./synthesize.ts";

let topology: Topology;
let made: Synthesized;

beforeAll(async () => {
  topology = await loadTopology(smallFiles(), SECRETS);
  made = synthesize(topology);
});

stackLaws(() => made);

test("what is counted before a deploy is what the templates make", () => {
  expect(stageSize(topology, intake)).toMatchObject(sizeOf(made));
});

const functionOf = (name: string, of: Synthesized = made) =>
  of.ofType("AWS::Lambda::Function").find(({ Properties }) => Properties.FunctionName === name)
    ?.Properties;

test("a secret can be read by the function that uses it, and by no other", () => {
  const readers = (name: string) =>
    made
      .ofType("AWS::IAM::Role")
      .filter((role) => JSON.stringify(role).includes(`/Secret/${name}/value`)).length;
  expect(readers("HUB_SECRET")).toBe(1);
  expect(readers("GITHUB_TOKEN")).toBe(1);
  expect(readers("REVIEW_TONE")).toBe(1);
  expect(readers("AGENT_SECRET")).toBe(2);
  const parameters = statements(made)
    .filter(({ actions }) => actions.some((it: string) => it.startsWith("ssm:")))
    .flatMap(({ resources }) => resources);
  for (const one of parameters) {
    expect(one).toMatch(
      /^arn:aws:ssm:[^*]+:parameter\/sst\/orgloop\/production\/Secret\/\w+\/value$/,
    );
  }
});

test("router and receiver have their own concurrency; an actor has what its routes allow, two of a batch at once", () => {
  expect(functionOf("orgloop-production-route")?.ReservedConcurrentExecutions).toBe(50);
  expect(functionOf("orgloop-production-receive")?.ReservedConcurrentExecutions).toBe(50);
  expect(functionOf("orgloop-production-route")?.Timeout).toBeLessThanOrEqual(30);
  const concurrency = (actor: string) =>
    made
      .ofType("AWS::Lambda::EventSourceMapping")
      .find(({ Properties }) => Properties.EventSourceArn.includes(`-actor-${actor}-`))?.Properties
      .ScalingConfig.MaximumConcurrency;
  expect(concurrency("reviewer")).toBe(8);
  expect(concurrency("triage")).toBe(2);
  expect(concurrency("slow")).toBe(200);
});

test("an account with less gives each actor the same part of what its routes want, and 2 at the least", () => {
  const little = synthesize({ ...topology, aws: { ...topology.aws, concurrency: 330 } });
  const shares = little
    .ofType("AWS::Lambda::EventSourceMapping")
    .filter(({ Properties }) => Properties.EventSourceArn.includes("-actor-"))
    .map(({ Properties }) => Properties.ScalingConfig.MaximumConcurrency);
  expect(shares.toSorted((a, b) => a - b)).toEqual([2, 4, 100]);
});

test("a deliver function lives as long as its slowest attempt, and 15 minutes at most", () => {
  const timeouts = made
    .ofType("AWS::Lambda::Function")
    .filter(({ Properties }) => Properties.FunctionName.includes("-deliver-"))
    .map(({ Properties }) => [Properties.Description, Properties.Timeout]);
  expect(Object.fromEntries(timeouts)).toEqual({
    "Delivers to reviewer": 60,
    "Delivers to triage": 60,
    "Delivers to slow": 870,
  });
});

test("intervals become rates, spread over a fifth of their length", () => {
  const rates = made
    .ofType("AWS::Scheduler::Schedule")
    .filter(({ Properties }) => Properties.Target.Input !== undefined)
    .map(({ Properties }) => [
      JSON.parse(Properties.Target.Input).source,
      Properties.ScheduleExpression,
      Properties.FlexibleTimeWindow.MaximumWindowInMinutes,
    ]);
  expect(rates.sort()).toEqual([
    ["clock", "rate(1 minute)", 1],
    ["octo", "rate(7 minutes)", 1],
  ]);
});

test("a stack says what it is, and the stage what people look for", () => {
  const outputs = Object.assign({}, ...[...made.stacks.values()].map((it) => it.outputs));
  expect(Object.keys(outputs).sort()).toEqual([
    "BusUrl",
    "Dashboard",
    "Project",
    "StateTable",
    "WebhookUrl",
  ]);
});

test("functions get their specs: small ones in the environment, the Topology in S3 by its hash", () => {
  const variables = (name: string) => functionOf(name)?.Environment.Variables;
  const poll = made
    .ofType("AWS::Lambda::Function")
    .find(({ Properties }) => Properties.FunctionName.includes("-poll-octo-"))?.Properties;
  expect(JSON.parse(poll.Environment.Variables.ORGLOOP_SPEC)).toMatchObject({
    project: "small",
    sources: [topology.sources.find(({ id }) => id === "octo")],
  });
  expect(variables("orgloop-production-receive")).toMatchObject({
    ORGLOOP_STAGE: "production",
    ORGLOOP_PROJECT: "small",
    ORGLOOP_TABLE: "orgloop-production-state",
    ORGLOOP_BUCKET: "orgloop-production-123456789012-eu-west-1",
    ORGLOOP_BUS_URL: "https://sqs.eu-west-1.amazonaws.com/123456789012/orgloop-production-bus.fifo",
    ORGLOOP_SECRET_PREFIX: "/sst/orgloop/production/Secret/",
  });
  const { ORGLOOP_SPEC } = variables("orgloop-production-route");
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(ORGLOOP_SPEC) ?? [];
  const read = statements(made).filter(({ resources }) =>
    resources.includes(`arn:aws:s3:::${bucket}/${key}`),
  );
  // The router, and the function that records what it has.
  expect(read.map(({ actions }) => actions)).toEqual([["s3:GetObject"], ["s3:GetObject"]]);
});

test("an actor on an event bus may put events on that bus and on no other", async () => {
  const actor = (id: string, config: string) =>
    `  - { id: ${id}, connector: "@orgloop/connector-eventbridge", config: ${config} }\n`;
  const buses = actor("own", "{ event_bus: orders }") + actor("account", "{}");
  const { ofType } = synthesize(await loadTopology(smallFiles("", buses)));
  const granted = ofType("AWS::IAM::Role").flatMap((role) =>
    JSON.stringify(role).match(/arn:aws:events:[^"]+/g),
  );
  expect(granted.filter((it) => it !== null).sort()).toEqual([
    "arn:aws:events:eu-west-1:123456789012:event-bus/default",
    "arn:aws:events:eu-west-1:123456789012:event-bus/orders",
  ]);
  const secret = actor("hidden", `{ event_bus: "$\{BUS_NAME}" }`);
  const topologyOf = await loadTopology(smallFiles("", secret));
  expect(() => synthesize(topologyOf)).toThrow(
    /actor "hidden": event_bus is known only at run time/,
  );
});

test("an actor that routes wait for has a queue and a function that keeps it; when it comes, they are the same", () => {
  const [first] = topology.routes;
  if (first === undefined) throw new Error("the organisation has no route");
  const then = { actor: "later", config: {} };
  const awaiting = { ...first, name: "awaited", then: { ...then, queue_until_exists: true } };
  const waits = { ...topology, routes: [...topology.routes, awaiting as typeof first] };
  const before = synthesize(waits);
  const later = {
    id: "later",
    connector: "@orgloop/connector-webhook",
    config: {},
    queue_depth: 9,
  };
  const routes = [...topology.routes, { ...awaiting, then }];
  const after = synthesize({ ...topology, routes, actors: [...topology.actors, later] });
  /** The stack and the logical id: what CloudFormation knows it by. */
  const madeFor = ({ stacks }: Synthesized, said: RegExp) =>
    [...stacks].flatMap(([name, { resources }]) =>
      Object.entries(resources).flatMap(([id, { Properties = {} }]) =>
        [Properties.QueueName, Properties.FunctionName].some((one) => said.test(one))
          ? [`${name} ${id}`]
          : [],
      ),
    );
  const its = /-(actor|deliver)-later-\w+(\.fifo)?$/;
  const specOf = (of: Synthesized) =>
    JSON.parse(
      functionOf(awsNames("production").deliverer("later"), of)?.Environment.Variables.ORGLOOP_SPEC,
    );
  // Queue, mapping, function.
  expect(madeFor(before, its)).toHaveLength(3);
  expect(specOf(before)).toEqual({ actors: [], awaited: ["later"] });
  expect(stageSize(waits, intake)).toMatchObject(sizeOf(before));
  expect(madeFor(after, its)).toEqual(madeFor(before, its));
  expect(specOf(after)).toEqual({ actors: [later] });
  const ofConnector = synthesize({ ...waits, aws: { ...waits.aws, deliverers: "per_connector" } });
  expect(madeFor(ofConnector, /-deliver-awaited-later-\w+$/)).toHaveLength(2);
});

test("inboxes are looked after once a minute, by a function that only their schedule calls", () => {
  const schedules = made.ofType("AWS::Scheduler::Schedule");
  const sweep = schedules.find(({ Properties }) => Properties.Target.Arn.endsWith("-sweep"));
  expect(sweep?.Properties).toMatchObject({
    Name: "orgloop-production-sweep",
    GroupName: "orgloop-production-sources",
    ScheduleExpression: "rate(1 minute)",
  });
  const callers = statements(made)
    .filter(({ actions }) => actions.includes("lambda:InvokeFunction"))
    .map(({ resources }) => resources.map((arn) => arn.slice(arn.lastIndexOf(":") + 1)));
  expect(callers).toContainEqual(["orgloop-production-sweep"]);
  // Of the deliver functions that of the inbox's actor sends to its own queue, and none else sends.
  const senders = statements(made)
    .filter(({ actions }) => actions.includes("sqs:SendMessage"))
    .map(({ resources }) => resources.map((arn) => arn.slice(arn.lastIndexOf(":") + 1)))
    .filter(([name]) => !name?.includes("-bus"));
  const all = ["orgloop-production-actor-*.fifo"];
  expect(senders.sort()).toEqual([
    all,
    all,
    [expect.stringMatching(/^orgloop-production-actor-triage-\w+\.fifo$/)],
    ["orgloop-production-history"],
  ]);
});

test("without an inbox the sweeper does the same, but for inboxes: queues may refuse", () => {
  const routes = topology.routes.map((one) => ({ ...one, then: { ...one.then, config: {} } }));
  const without = { ...topology, routes };
  const granted = (of: Synthesized) => {
    const role = of
      .ofType("AWS::IAM::Role")
      .find((one) =>
        JSON.stringify(one).includes("log-group:/aws/lambda/orgloop-production-sweep"),
      );
    return JSON.stringify(role);
  };
  expect(granted(synthesize(without))).toBe(granted(made));
  expect(granted(made)).toContain("topologies/*");
  expect(stageSize(without, intake)).toMatchObject(sizeOf(synthesize(without)));
});

test("the record is written by a function of its own: the router has no hand in the bucket but claim checks", () => {
  // A role is known by the log that it writes.
  const objects = (kind: string) =>
    made
      .ofType("AWS::IAM::Role")
      .map((role) => JSON.stringify(role))
      .filter((role) => role.includes(`/aws/lambda/orgloop-production-${kind}:`))
      .flatMap((role) => [...role.matchAll(/arn:aws:s3:::[^/"]+\/([^"]+)"/g)])
      .map(([, key = ""]) => key);
  expect(objects("route").filter((it) => it.endsWith("*"))).toEqual(["claims/*"]);
  expect(objects("history")).toEqual(["events/*", "claims/*"]);
  expect(functionOf("orgloop-production-history")?.Timeout).toBe(60);
});

test("the sweeper knows the interval of every polled source", () => {
  const sweeper = functionOf("orgloop-production-sweep");
  expect(JSON.parse(sweeper?.Environment.Variables.ORGLOOP_SPEC)).toEqual({
    groupings: { hub: "key", octo: "key", clock: "key" },
    inboxes: true,
    sources: [
      { id: "octo", interval_ms: 420_000 },
      { id: "clock", interval_ms: 60_000 },
    ],
  });
});
