import { join } from "node:path";
import { defineConnector } from "@orgloop/sdk";
import { expect, it } from "vitest";
import * as z from "zod";
import { temporaryProject } from "../../test/temporary-project.ts";
import { findTests, testedFolder } from "./find-tests.ts";
import { loadTests } from "./load-tests.ts";

const HEAD = "apiVersion: orgloop/v1alpha1\nkind: ";
const PROJECT = `${HEAD}Project
metadata: { name: acme }
sources:
  - { id: hub, connector: "@orgloop/connector-webhook" }
  - { id: off, connector: "@orgloop/connector-webhook", enabled: false }
actors: [{ id: bot, connector: "@orgloop/connector-exec" }]
routes:
  - { name: review, when: { source: hub, events: [resource.changed] }, then: { actor: bot } }
  - { name: quiet, when: { source: hub, events: [resource.changed] }, then: { actor: bot }, enabled: false }
`;
const MODULE = `${HEAD}Module
metadata: { name: standard }
requires: { connectors: [{ type: actor, id: agent, param: agent, required: false, fallback: queue }] }
parameters:
  - { name: source, type: source, required: true }
  - { name: agent, type: actor }
  - { name: rate, type: rate, default: 1/s }
`;
const TEMPLATE = `${HEAD}RouteGroup
routes:
  - name: review
    when: { source: "{{ params.source }}", events: [resource.changed] }
    then: { actor: agent, delivery: { max_rate: "{{ params.rate }}" } }
`;

/** Connectors that take any settings. */
const part = { config: z.unknown(), create: () => Promise.reject(new Error("never created")) };
const plugin = defineConnector({ id: "any", source: part, actor: part });
const lookup = () => () => Promise.resolve(plugin);

async function load(text: string, where = "a.test.yaml") {
  const folder = temporaryProject({
    "orgloop.yaml": PROJECT,
    "events/opened.json":
      '{ "payload": { "number": 1, "deep": { "a": 1, "b": 2 } }, "id": "evt_file" }',
    "events/big.json": '{ "payload": { "id": 12345678901234567890 } }',
    "events/vast.json": '{ "payload": { "id": 1e400 } }',
    "events/broken.json": "{",
    "events/list.json": "[]",
    "events/evil.json": '{ "payload": { "__proto__": { "a": 1 } } }',
    "modules/standard/orgloop-module.yaml": MODULE,
    "modules/standard/templates/routes.yaml": TEMPLATE,
    [where]: `${HEAD}Test\n${text}`,
  });
  return loadTests(join(folder, where), { env: { HOME: folder }, lookup });
}

const problems = async (text: string, where?: string) => {
  const { errors } = await load(text, where);
  return errors.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`);
};

it("fills an event in: the only source, an id of its own, the time of the test", async () => {
  const { errors, cases } = await load(`time: 2026-05-01T10:00:00Z
events:
  opened: { from: events/opened.json, payload: { deep: { b: 3 } } }
tests:
  - name: t
    steps:
      - { given: opened, expect: { routes: [review] } }
      - given: { from: opened, payload.deep.a: [x], provenance.author: ada }
        after: 10m
        expect: { routes: { review: { actor: bot } } }
      - { given: { id: evt_own }, expect: no_route }
`);
  expect(errors).toEqual([]);
  const [first, second, third] = cases[0]?.steps ?? [];
  expect(first?.event).toEqual({
    id: "evt_test0s0",
    timestamp: "2026-05-01T10:00:00.000Z",
    source: "hub",
    type: "resource.changed",
    provenance: { platform: "test" },
    payload: { number: 1, deep: { a: 1, b: 3 } },
    trace_id: "trc_test0s0",
    module: "acme",
  });
  expect(second?.event).toMatchObject({
    id: "evt_test0s1",
    timestamp: "2026-05-01T10:10:00.000Z",
    provenance: { author: "ada" },
    payload: { number: 1, deep: { a: ["x"], b: 3 } },
  });
  expect(third?.event.id).toBe("evt_own");
  expect([...(second?.expected.routes ?? [])]).toEqual([
    ["review", { kind: "delivered", transform: null, actor: "bot" }],
  ]);
  expect(second?.expected.at("routes", "review", "actor")).toEqual({
    line: 12,
    column: 46,
    path: "tests[0].steps[1].expect.routes.review.actor",
  });
});

it("every mistake is one line, at its place", async () => {
  expect(
    await problems(`tests:
  - { name: a, given: {}, expect: { routes: [reviw] } }
  - { name: b, given: { source: hob }, expect: { routes: { quiet: { actor: bat } } } }
  - { name: c, given: opened, expect: no_route }
  - { name: d, given: { from: events/none.json }, expect: no_route }
  - { name: e, given: { from: events/list.json }, expect: no_route }
  - { name: f, given: { from: events/evil.json }, expect: no_route }
  - { name: g, given: { from: ../outside.json }, expect: no_route }
`),
  ).toEqual([
    'a.test.yaml:4:46: there is no route "reviw": did you mean "review"?',
    'a.test.yaml:5:33: there is no source "hob": did you mean "hub"?',
    'a.test.yaml:5:60: the route "quiet" is switched off',
    'a.test.yaml:5:76: there is no actor "bat": did you mean "bot"?',
    'a.test.yaml:6:23: there is no event "opened": there are no events',
    'a.test.yaml:7:31: there is no file "events/none.json"; looked for events/none.json',
    "a.test.yaml:8:31: events/list.json holds no event: expected one JSON object",
    'a.test.yaml:9:31: events/evil.json: the key "__proto__" is not allowed',
    'a.test.yaml:10:31: "../outside.json" leads out of the project',
  ]);
  expect(
    await problems(`events: { a: { from: b }, b: { from: a } }
tests:
  - { name: a, given: a, expect: no_route }
`),
  ).toEqual(["a.test.yaml:3:38: events begin as each other: a → b → a"]);
});

it("the form is checked, with the nearest names", async () => {
  expect(
    await problems(`tests:
  - { name: a, gven: {}, expect: no_rout }
  - { name: b, given: { sorce: hub, payload.: 1 }, expect: { routes: { review: { actr: bot } } } }
  - { name: c, given: {}, steps: [{ given: {}, expect: no_route, after: soon }] }
  - { name: d, given: { type: changed }, expect: { routes: { review: droped } } }
`),
  ).toEqual([
    'a.test.yaml:4:16: unknown key "gven": did you mean "given"?',
    'a.test.yaml:4:34: expected no_route, found "no_rout": did you mean "no_route"?',
    'a.test.yaml:5:25: unknown key "sorce": did you mean "source"?',
    'a.test.yaml:5:37: unknown key "payload.": did you mean "payload"?',
    'a.test.yaml:5:82: unknown key "actr": did you mean "actor"?',
    "a.test.yaml:6:23: given stands in a step where there are steps",
    'a.test.yaml:6:73: expected a duration: a whole number and ms, s, m, h or d, e.g. 30s, found "soon"',
    'a.test.yaml:7:31: expected one of resource.changed, actor.stopped, message.received, found "changed"',
    'a.test.yaml:7:70: expected one of dropped, delivered, found "droped": did you mean "dropped"?',
  ]);
});

it("a module is tested by itself: its params name what stands in", async () => {
  const { errors, cases } = await load(
    `module: { name: web, params: { source: repo, agent: reviewer } }
tests:
  - { name: a, given: {}, expect: { routes: { review: { actor: reviewer } } } }
  - { name: b, params: { rate: 5/m, agent: null }, given: { source: repo }, expect: { routes: [web-review] } }
`,
    "modules/standard/tests/a.test.yaml",
  );
  expect(errors).toEqual([]);
  const rates = cases.map(({ topology }) => topology.routes[0]?.delivery.max_rate);
  expect(rates).toEqual(["1/s", "5/m"]);
  expect(cases[0]?.steps[0]?.expected.routes.has("web-review")).toBe(true);
});

it("its params are checked where the test gives them", async () => {
  const where = "modules/standard/a.test.yaml";
  expect(
    await problems(
      `module: { params: { sorce: repo } }
tests:
  - { name: a, given: {}, expect: no_route }
  - { name: b, params: { source: repo, rate: fast }, given: {}, expect: no_route }
`,
      where,
    ),
  ).toEqual([
    `${where}:3:21: module "standard" has no parameter "sorce": did you mean "source"?`,
    expect.stringMatching(/a\.test\.yaml:6:46: .*"fast"/),
  ]);
  expect(await problems("module: { params: { a: 1 } }\ntests: []\n")).toEqual([
    "a.test.yaml:3:1: this test is about a project: only the tests of a module have parameters",
  ]);
});

it("finds the tests of a folder, and what they are about", () => {
  const folder = temporaryProject({
    "b/orgloop.yaml": "",
    "b/x.test.yaml": "",
    "b/modules/m/orgloop-module.yaml": "",
    "b/modules/m/tests/y.test.yml": "",
    "b/node_modules/p/z.test.yaml": "",
    "b/.hidden/z.test.yaml": "",
    "c/m/orgloop-module.yaml": "",
    "c/m/a.test.yaml": "",
    "d/a.test.yaml": "",
    "d/a.yaml": "",
  });
  const inB = [join(folder, "b/modules/m/tests/y.test.yml"), join(folder, "b/x.test.yaml")];
  expect(findTests(join(folder, "b"))).toEqual(inB);
  expect(findTests(inB[1] as string)).toEqual([inB[1]]);
  expect(() => findTests(join(folder, "d/a.yaml"))).toThrow(/ends in \.test\.yaml/);
  expect(() => findTests(join(folder, "e"))).toThrow(/no file or folder/);
  expect(testedFolder(inB[0] as string)).toEqual({
    kind: "module",
    folder: join(folder, "b/modules/m"),
    root: join(folder, "b"),
  });
  expect(testedFolder(join(folder, "c/m/a.test.yaml"))?.root).toBe(join(folder, "c"));
  expect(testedFolder(inB[1] as string)?.kind).toBe("project");
  expect(testedFolder(join(folder, "d/a.test.yaml"))).toBeUndefined();
});

it("numbers that a double would change are kept, in the test and in the event's file", async () => {
  const { cases, errors } = await load(`
tests:
  - name: t
    given: { from: events/big.json, payload.own: 9007199254740993 }
    expect: no_route
`);
  expect(errors).toEqual([]);
  expect(JSON.stringify(cases[0]?.steps[0]?.event.payload)).toBe(
    '{"id":12345678901234567890,"own":9007199254740993}',
  );
  const text = "tests: [{ name: t, given: events/vast.json, expect: no_route }]";
  expect(await problems(text)).toEqual([
    expect.stringMatching(/^a\.test\.yaml:3:\d+: the number 1e400 .*is out of the range/),
  ]);
});
