import { describe, expect, it } from "vitest";
import { temporaryProject } from "../../test/temporary-project.ts";
import { settingOrigin, valueOrigin } from "../plan/value-origin.ts";
import { workspaceFiles } from "../read/read-workspace.ts";
import { loadProject } from "./load-project.ts";

const env = { ORGLOOP_HOME: "/dev/null/none" };

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: references of the language
const PROJECT = {
  "orgloop.yaml": `apiVersion: orgloop/v1alpha1
kind: Project
metadata: { name: acme }
bus: { url: "nats://prod:4222", stream: events }
vars: { api: "https://api.test", level: warn }
defaults: { poll_interval: 5m, delivery: { timeout: 9s, retry: { max_attempts: 7 } } }
network: { allow_private: [10.0.0.0/8] }
sources:
  - id: github
    connector: "@orgloop/connector-github"
    poll: { interval: 2m }
    config: { repo: a/b, base_url: "\${vars.api}", deep: { one: 1, two: 2 }, events: [a, b] }
actors:
  - { id: agent, connector: "@orgloop/connector-exec", config: { command: a } }
routes:
  - name: review
    when: { source: github, events: [resource.changed] }
    then: { actor: agent }
  - { name: extra, when: { source: github, events: [resource.changed] }, then: { actor: agent } }
`,
  "workspaces/staging.yaml": `apiVersion: orgloop/v1alpha1
kind: Workspace
metadata: { name: staging }
bus: sqs
vars: { api: "https://staging.test" }
defaults: { poll_interval: 90s, delivery: { retry: { max_attempts: 2 } } }
sources:
  github:
    poll: { interval: 1m }
    config: { base_url: "\${vars.api}/v2", deep: { two: 22 }, events: [c], token: "\${STAGING_TOKEN}" }
routes:
  review: { then: { delivery: { max_rate: 5/s } } }
  extra: { enabled: false }
aws: { region: eu-west-1, pollers: per_connector, log_retention: 30d, vpc: { subnets: [s-1] }, tags: { team: x } }
`,
  "workspaces/notes.test.yaml": "not: loaded",
};
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: references of the language

const load = (files: Record<string, string>, workspace?: string) =>
  loadProject({ path: temporaryProject(files), env, ...(workspace && { workspace }) });

const staging = (text: string) =>
  load({ ...PROJECT, "workspaces/staging.yaml": `${HEAD}${text}\n` }, "staging");

const HEAD =
  "apiVersion: orgloop/v1alpha1\nkind: Workspace\nmetadata: { name: staging }\nvars: { level: debug }\n";

describe("a workspace", () => {
  it("is laid over the project: items by id and name, deeply; settings", async () => {
    const { topology, errors, allowPrivate } = await load(PROJECT, "staging");
    expect(errors).toEqual([]);
    expect(topology).toMatchObject({
      project: "acme",
      workspace: "staging",
      bus: { url: "sqs" },
      defaults: { poll_interval: "90s" },
      network: { allow_private: ["10.0.0.0/8"] },
      aws: { region: "eu-west-1", pollers: "per_connector", vpc: { subnets: ["s-1"] } },
    });
    expect(topology?.bus).toEqual({ url: "sqs" });
    expect(topology?.sources).toEqual([
      {
        id: "github",
        connector: "@orgloop/connector-github",
        poll: { interval: "1m" },
        config: {
          repo: "a/b",
          base_url: "https://staging.test/v2",
          deep: { one: 1, two: 22 },
          events: ["c"],
          // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
          token: "${STAGING_TOKEN}",
        },
      },
    ]);
    expect(topology?.routes.map(({ name }) => name)).toEqual(["review"]);
    expect(topology?.routes[0]?.delivery).toMatchObject({
      max_rate: "5/s",
      timeout: "9s",
      retry: { max_attempts: 2 },
    });
    expect(allowPrivate).toEqual(["10.0.0.0/8"]);
  });

  it("that is not asked for changes nothing, and default needs no file", async () => {
    const plain = await load(PROJECT);
    expect(plain.errors).toEqual([]);
    const { "workspaces/staging.yaml": _, ...without } = PROJECT;
    expect(plain.topology).toEqual((await load(without, "default")).topology);
    expect(plain.topology).toMatchObject({
      workspace: "default",
      bus: { url: "nats://prod:4222" },
    });
  });

  it("may be a file named default.yaml", async () => {
    const text = PROJECT["workspaces/staging.yaml"].replace("name: staging", "name: default");
    const { topology } = await load({ ...PROJECT, "workspaces/default.yaml": text });
    expect(topology).toMatchObject({ workspace: "default", bus: { url: "sqs" } });
  });

  it("on sqs lets actors reach nothing private unless it says so", async () => {
    const { "orgloop.yaml": manifest } = PROJECT;
    const open = manifest.replace(/network: .*\n/, "");
    expect((await load({ ...PROJECT, "orgloop.yaml": open }, "staging")).allowPrivate).toEqual([]);
    expect((await load({ ...PROJECT, "orgloop.yaml": open })).allowPrivate).toBeNull();
  });

  it("is listed by its file", () => {
    const directory = temporaryProject({ ...PROJECT, "workspaces/production.yml": "" });
    expect(workspaceFiles(directory).map(({ name }) => name)).toEqual(["production", "staging"]);
    expect(workspaceFiles(temporaryProject({ "orgloop.yaml": "" }))).toEqual([]);
  });
});

it("every effective value tells which file it came from", async () => {
  const { provenance } = await load(PROJECT, "staging");
  const from = (...path: (string | number)[]) => {
    const found = valueOrigin(provenance, "source", "github", path);
    return found && `${found.file}:${found.line} ${found.path}`;
  };
  expect(from()).toBe("orgloop.yaml:9 sources[0]");
  expect(from("config", "repo")).toBe("orgloop.yaml:12 sources[0].config.repo");
  expect(from("config", "deep", "one")).toBe("orgloop.yaml:12 sources[0].config.deep.one");
  expect(from("config", "deep", "two")).toBe(
    "workspaces/staging.yaml:10 sources.github.config.deep.two",
  );
  expect(from("poll", "interval")).toBe("workspaces/staging.yaml:9 sources.github.poll.interval");
  const delivery = (...path: string[]) =>
    valueOrigin(provenance, "route", "review", ["delivery", ...path])?.file;
  expect(delivery("max_rate")).toBe("workspaces/staging.yaml");
  expect(delivery("retry", "max_attempts")).toBe("workspaces/staging.yaml");
  expect(delivery("timeout")).toBe("orgloop.yaml");
  expect(settingOrigin(provenance, ["bus"])).toMatchObject({
    file: "workspaces/staging.yaml",
    line: 4,
  });
  expect(settingOrigin(provenance, ["network", "allow_private"])?.file).toBe("orgloop.yaml");
  expect(settingOrigin(provenance, ["defaults", "log_level"])).toBeNull();
});

describe("what a workspace gets wrong is one line, at its place", () => {
  const said = async (text: string) =>
    (await staging(text)).errors.map(
      ({ file, line, column, code, message }) => `${file}:${line}:${column} ${code} | ${message}`,
    );

  it.each([
    [
      "sources: { githb: { poll: { interval: 1m } } }",
      'workspaces/staging.yaml:5:12 unknown-override | there is no source "githb" to change: did you mean "github"?',
    ],
    [
      "transforms: { x: { enabled: false } }",
      'workspaces/staging.yaml:5:15 unknown-override | there is no transform "x" to change: there are no transforms',
    ],
    [
      "sources: { github: { poll: { intervall: 1m } } }",
      'workspaces/staging.yaml:5:30 unknown-key | unknown key "intervall": did you mean "interval"?',
    ],
    [
      "actors: { agent: { queue_depth: 0 } }",
      "workspaces/staging.yaml:5:33 invalid-value | expected a whole number, at least 1, found 0",
    ],
    [
      "actors: { agent: { id: other } }",
      'workspaces/staging.yaml:5:20 fixed-name | a workspace cannot change the id of actor "agent"',
    ],
    [
      "routes: { review: { then: { actor: agnet } } }",
      'workspaces/staging.yaml:5:36 unknown-reference | unknown actor "agnet": did you mean "agent"?',
    ],
    [
      "routes: { review: { with: { prompt_file: none.md } } }",
      'workspaces/staging.yaml:5:42 file | there is no file "none.md"; looked for workspaces/none.md and none.md',
    ],
    [
      "routes: { review: { delivery: { retry: { initial_delay: 2m, max_delay: 1m } } } }",
      "workspaces/staging.yaml:5:72 cap-too-low | max_delay 1m is shorter than initial_delay 2m",
    ],
    [
      "actors: { agent: { enabled: false } }\nroutes: { extra: { enabled: false } }",
      'workspaces/staging.yaml:5:29 disabled-reference | actor "agent" is switched off here, and route "review" refers to it (orgloop.yaml:18:20): switch the route off as well, or give it another',
    ],
    [
      "sources: [github]",
      "workspaces/staging.yaml:5:10 invalid-value | expected a mapping of source to what to change in it, found a list",
    ],
    [
      "sources: { github: off }",
      'workspaces/staging.yaml:5:20 invalid-value | expected a mapping: what to change in the source, or enabled: false, found "off"',
    ],
    [
      "aws: { pollers: per_sauce }",
      'workspaces/staging.yaml:5:17 invalid-value | expected one of per_source, per_connector, found "per_sauce": did you mean "per_source"?',
    ],
    [
      "buss: sqs",
      'workspaces/staging.yaml:5:1 unknown-key | unknown key "buss": did you mean "bus"?',
    ],
  ])("%s", async (text, expected) => {
    expect(await said(text)).toEqual([expected]);
  });

  it("a variable that nobody has", async () => {
    const text = PROJECT["workspaces/staging.yaml"].replace("vars: { api:", "vars: { apii:");
    const { errors } = await load({ ...PROJECT, "workspaces/staging.yaml": text }, "staging");
    expect(errors.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '5 there is no variable "apii" to change: did you mean "api"?',
    ]);
  });

  it("a name that is not the file's, a file without a kind", async () => {
    const text = "metadata: { name: other }\n";
    const { errors } = await load({ ...PROJECT, "workspaces/staging.yaml": text }, "staging");
    expect(errors.map(({ code, path }) => `${code} ${path}`)).toEqual([
      "missing-key apiVersion",
      "missing-key kind",
      "wrong-name metadata.name",
    ]);
  });

  it("a workspace that there is not", async () => {
    const { topology, errors } = await load(PROJECT, "stagign");
    expect(topology).toBeNull();
    expect(errors.map(({ message }) => message)).toEqual([
      'there is no workspace "stagign": did you mean "staging"? There are: default, staging',
    ]);
    expect((await load(PROJECT, "../../x")).errors.map(({ code }) => code)).toEqual([
      "unknown-workspace",
    ]);
  });
});
