// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested

import { withoutSecrets } from "@orgloop/engine";
import type { Topology } from "@orgloop/sdk";
import { expect, it } from "vitest";
import { HEAD, lines, load } from "../../test/review-module.ts";
import { planTopology } from "../plan/plan-topology.ts";

const project = (bus: string) => ({
  "orgloop.yaml": `${HEAD} Project
metadata: { name: acme }
bus: ${bus}
defaults: { poll_interval: 30s, delivery: { timeout: 15m } }
sources:
  - { id: fast, connector: "@orgloop/connector-github", poll: { interval: 59s } }
  - { id: fine, connector: "@orgloop/connector-github", poll: { interval: 60s } }
  - { id: rest, connector: "@orgloop/connector-github" }
actors: [{ id: a, connector: "@orgloop/connector-exec" }]
routes:
  - name: r
    when: { source: [fast, fine], events: [resource.changed] }
    then: { actor: a, delivery: { overflow: block, timeout: 14m } }
  - name: s
    when: { source: [fast, fine], events: [resource.changed] }
    then: { actor: a, delivery: { overflow: drop_newest, timeout: 841s } }
  - name: t
    when: { source: fine, events: [resource.changed] }
    then: { actor: a, config: { inbox: true, session_key: s, inbox_ttl: 91d } }
  - name: u
    when: { source: fine, events: [resource.changed] }
    then: { actor: a, config: { inbox: true, session_key: s, inbox_ttl: 90d } }
`,
});

it("what the serverless host cannot do is an error where the bus is sqs, and only there", async () => {
  const expected = [
    "orgloop.yaml:5:28 not-serverless | on sqs sources are polled every 1m at most: found 30s",
    "orgloop.yaml:5:54 not-serverless | on sqs one attempt takes 14m at most: found 15m",
    "orgloop.yaml:7:75 not-serverless | on sqs sources are polled every 1m at most: found 59s",
    "orgloop.yaml:14:45 not-serverless | on sqs only drop_oldest is possible: found block",
    "orgloop.yaml:17:45 not-serverless | on sqs only drop_oldest is possible: found drop_newest",
    "orgloop.yaml:17:67 not-serverless | on sqs one attempt takes 14m at most: found 841s",
    "orgloop.yaml:20:73 not-serverless | on sqs an inbox keeps an event for 90d at most: found 91d",
  ];
  expect(lines((await load(project("sqs"))).errors)).toEqual(expected);
  expect(lines((await load(project("{ url: sqs }"))).errors)).toEqual(expected);
  expect(lines((await load(project("file"))).errors)).toEqual([]);
});

it("in a workspace on sqs they are told where they are written", async () => {
  const files = {
    ...project("file"),
    "workspaces/p.yaml": `${HEAD} Workspace
metadata: { name: p }
bus: sqs
defaults: { poll_interval: 1m, delivery: { timeout: 1m } }
sources: { fast: { poll: { interval: 2s } } }
routes: { r: { then: { delivery: { overflow: drop_oldest } } }, s: { enabled: false }, t: { enabled: false } }
`,
  };
  expect(lines((await load(files, "p")).errors)).toEqual([
    "workspaces/p.yaml:6:38 not-serverless | on sqs sources are polled every 1m at most: found 2s",
  ]);
});

it("an actor that leaves what it does on its machine is warned of on sqs", async () => {
  const warnings = async (bus: string) =>
    (await load(project(bus))).warnings.filter(({ code }) => code === "not-serverless");
  expect(lines(await warnings("sqs"))).toEqual([
    'orgloop.yaml:10:30 not-serverless | on sqs nothing that @orgloop/connector-exec leaves on its machine lasts: give the workspace\'s "a" another connector, e.g. @orgloop/connector-eventbridge',
  ]);
  expect(await warnings("file")).toEqual([]);
});

it("a transform that may take longer than the router has is an error on sqs", async () => {
  const transform = (name: string, ms: number) =>
    `  - { name: ${name}, type: package, package: "@orgloop/transform-filter", timeout_ms: ${ms} }`;
  const files = (bus: string) => ({
    "orgloop.yaml": `${HEAD} Project
metadata: { name: acme }
bus: ${bus}
transforms:
${transform("slow", 20_001)}
${transform("fine", 20_000)}
`,
  });
  expect(lines((await load(files("sqs"))).errors)).toEqual([
    "orgloop.yaml:6:84 not-serverless | on sqs a transform takes 20000 ms with one event at most: found 20001",
  ]);
  expect(lines((await load(files("file"))).errors)).toEqual([]);
});

it("the transforms of a route that ask for more in all than the router has are an error on sqs", async () => {
  const files = (bus: string) => ({
    "orgloop.yaml": `${HEAD} Project
metadata: { name: acme }
bus: ${bus}
sources: [{ id: s, connector: "@orgloop/connector-webhook", config: { secret: "\${S}" } }]
actors: [{ id: a, connector: "@orgloop/connector-eventbridge" }]
transforms:
  - { name: twelve, type: package, package: other, timeout_ms: 12000 }
  - { name: eight, type: package, package: other, timeout_ms: 8000 }
  - { name: nine, type: package, package: other, timeout_ms: 9000 }
  - { name: silent, type: package, package: other }
  - { name: quiet, type: package, package: "@orgloop/transform-dedup" }
routes:
  - { name: over, when: { source: s, events: [resource.changed] }, transforms: [{ ref: twelve }, { ref: nine }], then: { actor: a } }
  - { name: within, when: { source: s, events: [resource.changed] }, transforms: [{ ref: twelve }, { ref: eight }], then: { actor: a } }
  - { name: none, when: { source: s, events: [resource.changed] }, transforms: [{ ref: twelve }, { ref: eight }, { ref: silent }], then: { actor: a } }
  - { name: rest, when: { source: s, events: [resource.changed] }, transforms: [{ ref: twelve }, { ref: silent }, { ref: quiet }], then: { actor: a } }
  - { name: same, when: { source: s, events: [resource.changed] }, transforms: [{ ref: twelve }, { ref: silent }, { ref: quiet }], then: { actor: a } }
  - { name: quick, when: { source: s, events: [resource.changed] }, transforms: [{ ref: quiet }, { ref: eight }], then: { actor: a } }
  - { name: alone, when: { source: s, events: [resource.changed] }, transforms: [{ ref: silent }], then: { actor: a } }
  - { name: off, when: { source: s, events: [resource.changed] }, transforms: [{ ref: twelve }, { ref: nine }], then: { actor: a }, enabled: false }
`,
  });
  const together =
    "on sqs the transforms of a route take 20000 ms with one event at most, together:";
  const { errors, warnings } = await load(files("sqs"));
  expect(lines(errors)).toEqual([
    `orgloop.yaml:14:80 not-serverless | ${together} found "twelve" 12000 + "nine" 9000`,
    `orgloop.yaml:16:80 not-serverless | ${together} found "twelve" 12000 + "eight" 8000 + "silent" (says none)`,
  ]);
  expect(lines(warnings.filter(({ code }) => code === "transform-time"))).toEqual([
    `orgloop.yaml:17:80 transform-time | ${together} without a timeout_ms there is 4000 ms for each of "silent", "quiet"`,
  ]);
  const elsewhere = await load(files("file"));
  expect(lines(elsewhere.errors)).toEqual([]);
  expect(elsewhere.warnings.filter(({ code }) => code === "transform-time")).toEqual([]);
});

it("a secret that is written out is an error on sqs, and a warning elsewhere", async () => {
  const written = (bus: string) => ({
    "orgloop.yaml": `${HEAD} Project
metadata: { name: acme }
bus: ${bus}
sources:
  - { id: hook, connector: "@orgloop/connector-webhook", config: { secret: written-out } }
  - { id: off, connector: "@orgloop/connector-webhook", config: { secret: written-out }, enabled: false }
actors: [{ id: a, connector: "@orgloop/connector-console" }]
routes: [{ name: r, when: { source: hook, events: [resource.changed] }, then: { actor: a } }]
`,
  });
  const place = "orgloop.yaml:6:76 secret-written-out";
  const there = await load(written("sqs"));
  expect(lines(there.errors).map((line) => line.split(" | ")[0])).toEqual([place]);
  expect(there.topology).toBeNull();
  const here = await load(written("file"));
  expect(here.errors).toEqual([]);
  expect(lines(here.warnings).join()).toContain(place);
});

it("the credentials of a URL are a secret that is written out, unless they are references", async () => {
  const urls = [
    "https://bob:written-out@ghe.test/api",
    "https://written-out@ghe.test/api",
    "https://${USER}:written-out@ghe.test/api",
    "https://bob:${PASS}@ghe.test/api",
    "https://${TOKEN}@ghe.test/api",
    "https://ghe.test/a@b",
    "https://ghe.test?mail=a@b.test",
  ];
  const source = (url: string, at: number) =>
    `  - { id: s${at}, connector: "@orgloop/connector-github", config: { base_url: "${url}" } }`;
  const files = {
    "orgloop.yaml": `${HEAD} Project
metadata: { name: acme }
bus: sqs
sources:
${urls.map(source).join("\n")}
actors: [{ id: a, connector: "@orgloop/connector-console" }]
routes: [{ name: r, when: { source: s0, events: [resource.changed] }, then: { actor: a } }]
`,
  };
  expect(lines((await load(files)).errors).map((line) => line.split(" | ")[0])).toEqual([
    "orgloop.yaml:6:75 secret-written-out",
    "orgloop.yaml:7:75 secret-written-out",
    "orgloop.yaml:8:75 secret-written-out",
  ]);
});

it("vars are no secrets, also where a secret stands; a number there is one", async () => {
  const files = (bus: string) => ({
    "orgloop.yaml": `${HEAD} Project
metadata: { name: acme }
bus: ${bus}
vars: { team: platform-team, key: 12345678 }
modules: [{ package: ./m, params: { word: "\${vars.team}" } }]
sources:
  - { id: s, connector: "@orgloop/connector-webhook", config: { secret: "\${vars.team}" } }
actors:
  - id: a
    connector: "@orgloop/connector-webhook"
    config: { url: "https://me:\${vars.team}@a.test", auth: { token: "Bearer \${vars.team}" }, headers: { x-api-key: "\${vars.key}" } }
  - { id: b, connector: "@orgloop/connector-webhook", config: { url: "https://b.test", headers: { x-api-key: 87654321 } } }
`,
    "m/orgloop-module.yaml": `${HEAD} Module
metadata: { name: m, version: 1.0.0 }
parameters: [{ name: word, type: string }]
`,
    "m/templates/a.yaml": `${HEAD} ConnectorGroup
metadata: { name: m }
actors:
  - { id: c, connector: "@orgloop/connector-webhook", config: { url: "https://c.test", secret: "{{ params.word }}" } }
`,
  });
  const { topology, warnings } = await load(files("file"));
  const said = lines(warnings).filter((line) => line.includes("secret-"));
  expect(said).toEqual([
    "orgloop.yaml:13:110 secret-written-out | a secret is written out: write it as ${NAME} and set it in the environment",
  ]);
  const items = [...(topology?.sources ?? []), ...(topology?.actors ?? [])];
  const open = Object.fromEntries(items.map(({ id, from_vars }) => [id, from_vars]));
  expect(open).toEqual({
    s: ["platform-team"],
    a: ["platform-team", "12345678"],
    b: undefined,
    "m-c": ["platform-team"],
  });
  const plan = JSON.stringify(
    planTopology(null, topology as Topology).changes.map(({ to }) => withoutSecrets(to)),
  );
  expect(plan).not.toContain("87654321");
  expect(plan.match(/\(hidden/g)).toHaveLength(1);
  const { errors } = await load(files("sqs"));
  expect(lines(errors).map((line) => line.split(" ")[0])).toEqual(["orgloop.yaml:13:110"]);
});

it("concurrency: 1 is told what it means on sqs, and only there", async () => {
  const told = async (bus: string) => {
    const { warnings } = await load({
      "orgloop.yaml": `${HEAD} Project
metadata: { name: acme }
bus: ${bus}
sources: [{ id: s, connector: "@orgloop/connector-github" }]
actors: [{ id: a, connector: "@orgloop/connector-webhook" }]
routes:
  - name: r
    when: { source: s, events: [resource.changed] }
    then: { actor: a, delivery: { concurrency: 1 } }
  - name: s
    when: { source: s, events: [resource.changed] }
    then: { actor: a, delivery: { concurrency: 2 } }
`,
    });
    return warnings.filter(({ message }) => message.includes("wait for each other"));
  };
  expect(await told("sqs")).toMatchObject([{ line: 10, code: "not-serverless" }]);
  expect(await told("file")).toEqual([]);
});
