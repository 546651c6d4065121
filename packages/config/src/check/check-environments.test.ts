// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { defineConnector, type PluginDefinition } from "@orgloop/sdk";
import { anyConfig } from "@orgloop/testkit";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "../resolve/load-project.ts";

const create = () => Promise.reject(new Error("nothing is created"));
const marked = z.looseObject({ pass: z.string().meta({ secret: true }).optional() });
const PLUGINS: Record<string, PluginDefinition> = {
  hook: defineConnector({ id: "hook", source: { config: marked, create } }),
  "@orgloop/connector-exec": defineConnector({
    id: "exec",
    actor: { config: anyConfig(), create },
  }),
};

interface Environments {
  readonly source?: object;
  readonly script?: object;
  readonly exec?: object;
  readonly env?: Readonly<Record<string, string>>;
  readonly dotenv?: string;
}

async function load(given: Environments) {
  const { script = {}, exec = {}, env = {}, dotenv = "" } = given;
  const config = given.source ?? {
    pass: "x ${MARKED}",
    api_key: "${CALLED}",
    url: "${PLAIN}",
    token_env: "NAME",
  };
  const project = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "acme" },
    sources: [{ id: "s", connector: "hook", config }],
    actors: [
      { id: "a", connector: "@orgloop/connector-exec", config: { command: "cat", ...exec } },
    ],
    transforms: [{ name: "t", type: "script", script: "t.sh", ...script }],
    routes: [
      {
        name: "r",
        when: { source: "s", events: ["resource.changed"] },
        transforms: [{ ref: "t" }],
        then: { actor: "a" },
      },
    ],
  };
  const path = temporaryProject({
    "orgloop.yaml": JSON.stringify(project),
    "t.sh": "#!/bin/sh\n",
    ".env": dotenv,
  });
  chmodSync(join(path, "t.sh"), 0o755);
  const lookup = async (name: string) => PLUGINS[name] as PluginDefinition;
  const { topology, errors, warnings } = await loadProject({ path, env, lookup });
  expect(errors).toEqual([]);
  const said = (code: string) =>
    warnings.filter((one) => one.code === code).map((one) => `${one.path}: ${one.message}`);
  return {
    topology,
    inherited: said("inherited-secrets"),
    unset: said("missing-variable"),
    empty: said("empty-secret"),
  };
}

test("a secret that comes out empty is warned of", async () => {
  const config = { pass: "${MARKED}${CALLED}" };
  const { empty } = await load({ source: config, env: { MARKED: "", CALLED: " " } });
  expect(empty).toEqual([
    "sources[0].config.pass: ${MARKED}${CALLED} is set, and empty: expected a secret; start refuses it",
  ]);
  const set = await load({ source: config, env: { MARKED: "", CALLED: "x" } });
  expect([set.empty, (await load({ source: config })).empty]).toEqual([[], []]);
});

const SET = { MARKED: "m", CALLED: "c", PLAIN: "p" };

describe("without env", () => {
  test("the secrets that a script and a command get are named", async () => {
    const { inherited } = await load({ env: SET });
    const why = (what: string) =>
      `${what} has no env, so that it gets all of the environment, with the secrets CALLED, MARKED: write env: [] and list what it needs`;
    expect(inherited.toSorted()).toEqual([
      `actors[0].id: ${why('actor "a"')}`,
      `transforms[0].name: ${why('transform "t"')}`,
    ]);
  });

  test("what only .env sets is not among them: no child gets it", async () => {
    const { inherited } = await load({ env: { CALLED: "c" }, dotenv: "MARKED=m\nPLAIN=p\n" });
    for (const text of inherited) expect(text).toContain("with the secrets CALLED:");
    const all = await load({ dotenv: "MARKED=m\nCALLED=c\nPLAIN=p\n" });
    expect(all.inherited).toEqual([]);
  });
});

describe("with env", () => {
  test.each([[[]], [{}], [["PLAIN"]], [{ A: 1 }]])("%j, nothing is named", async (env) => {
    const { inherited, unset } = await load({ env: SET, script: { env }, exec: { env } });
    expect([inherited, unset]).toEqual([[], []]);
  });

  test("a list is one of references, so that values are found as those of all others", async () => {
    const env = ["PLAIN", "ABSENT"];
    const { topology, unset } = await load({ env: SET, script: { env }, exec: { env } });
    const references = { PLAIN: "${PLAIN}", ABSENT: "${ABSENT}" };
    expect(topology?.transforms[0]?.env).toEqual(references);
    expect(topology?.actors[0]?.config.env).toEqual(references);
    expect(unset.toSorted()).toEqual([
      'actors[0].config.env[1]: environment variable "ABSENT" is not set',
      'transforms[0].env[1]: environment variable "ABSENT" is not set',
    ]);
    const given = await load({ env: SET, script: { env: { A: "${PLAIN}", B: 2 } } });
    expect(given.topology?.transforms[0]?.env).toEqual({ A: "${PLAIN}", B: 2 });
  });
});
