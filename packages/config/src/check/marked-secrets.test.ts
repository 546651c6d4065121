// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested

import type { PluginDefinition, PluginPart } from "@orgloop/sdk";
import { expect, test } from "vitest";
import * as z from "zod";
import { HEAD, lines } from "../../test/review-module.ts";
import { temporaryProject } from "../../test/temporary-project.ts";
import { planDocument } from "../plan/plan-document.ts";
import { planTopology } from "../plan/plan-topology.ts";
import { holdsWrittenSecrets, sealSecrets } from "../plan/seal-secrets.ts";
import { loadProject } from "../resolve/load-project.ts";

const secret = z.union([z.string(), z.number()]).meta({ secret: true });
const config = z.strictObject({
  pin: secret.optional(),
  hooks: z.array(z.strictObject({ way: secret })).optional(),
  shown: z.string().optional(),
});
const part = { config, create: () => ({}) } as unknown as PluginPart<unknown, never>;
const plugin: PluginDefinition = { kind: "connector", id: "odd", source: part, actor: part };
const seal = (text: string) => Buffer.from(text).toString("hex").padEnd(64, "0").slice(0, 64);

function load(pin: string, bus = "file") {
  const path = temporaryProject({
    "orgloop.yaml": `${HEAD} Project
metadata: { name: acme }
bus: ${bus}
vars: { open: of-a-variable }
sources:
  - { id: s, connector: odd, config: { pin: ${pin}, shown: to-everybody } }
actors:
  - { id: a, connector: odd, config: { hooks: [{ way: "\${WAY}" }, { way: written-way }] } }
routes: [{ name: r, when: { source: s, events: [resource.changed] }, then: { actor: a } }]
`,
  });
  return loadProject({ path, env: { WAY: "x" }, lookup: async () => plugin });
}

const written = (problems: Parameters<typeof lines>[0]) =>
  lines(problems.filter(({ code }) => code === "secret-written-out")).map(
    (line) => line.split(" ")[0],
  );
const PLACES = ["orgloop.yaml:7:45", "orgloop.yaml:9:74"];

test("what only a schema marks secret is told where it is written out: on sqs an error", async () => {
  const here = await load("written-pin");
  expect(written(here.warnings)).toEqual(PLACES);
  expect(here.errors).toEqual([]);
  const there = await load("1234567890", "sqs");
  expect(written(there.errors)).toEqual(PLACES);
  expect(there.topology).toBeNull();
});

test("it is sealed, and a plan shows that it changes, not what it is", async () => {
  const { topology, provenance } = await load("written-pin");
  const other = await load("other-pin");
  if (topology === null || other.topology === null) throw new Error("both are valid");
  const sealed = sealSecrets(topology, seal);
  const text = JSON.stringify(sealed);
  for (const one of ["written-pin", "written-way"]) expect(text).not.toContain(one);
  for (const one of ["to-everybody", "${WAY}"]) expect(text).toContain(one);
  expect(holdsWrittenSecrets(topology)).toBe(true);
  expect(sealSecrets(sealed, seal)).toBe(sealed);
  expect(JSON.stringify(topology)).toContain("written-pin");
  const plan = planTopology(topology, other.topology);
  expect(plan.changes.map(({ name }) => name)).toEqual(["s"]);
  const state = { serial: 1, hash: null };
  const shown = (one: typeof plan) =>
    JSON.stringify(planDocument(one, { workspace: "default", state, provenance }));
  expect(shown(plan)).toContain("config.pin");
  const fresh = planTopology(null, other.topology);
  for (const one of [shown(plan), shown(fresh)])
    expect(one).not.toMatch(/(written|other)-(pin|way)/);
  expect(shown(fresh)).toContain("to-everybody");
});

test("a value of vars is no secret there either", async () => {
  const { topology, warnings } = await load('"${vars.open}"');
  expect(written(warnings)).toEqual(PLACES.slice(1));
  expect(JSON.stringify(topology && sealSecrets(topology, seal))).toContain("of-a-variable");
});
