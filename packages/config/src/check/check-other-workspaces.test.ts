import { describe, expect, it } from "vitest";
import { env, HEAD, lines, REVIEW, withModules } from "../../test/review-module.ts";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "../resolve/load-project.ts";

const USE =
  "  - { package: ./modules/review, params: { github_source: hub, agent_actor: agent-1 } }";

async function errors(files: Record<string, string>, workspace = "default") {
  const path = temporaryProject(files);
  return lines((await loadProject({ path, workspace, env, everyWorkspace: true })).errors);
}

const other = (text: string) => ({ "workspaces/other.yaml": `${HEAD} Workspace\n${text}\n` });

describe("a workspace that is not loaded is checked as well", () => {
  it.each([
    [
      "metadata: { name: othr }",
      'workspaces/other.yaml:3:19 wrong-name | a workspace has the name of its file: expected "other", found "othr"',
    ],
    [
      "metadata: { name: other }\nbuss: file",
      'workspaces/other.yaml:4:1 unknown-key | unknown key "buss": did you mean "bus"?',
    ],
    [
      "metadata: { name: other }\nsources: { hubb: { enabled: false } }",
      'workspaces/other.yaml:4:12 unknown-override | there is no source "hubb" to change: did you mean "hub"?',
    ],
    [
      "metadata: { name: other }\nactors: { agent-1: { queue_depth: 0 } }",
      "workspaces/other.yaml:4:35 invalid-value | expected a whole number, at least 1, found 0",
    ],
    [
      "metadata: { name: other }\nmodules: { reveiw: { enabled: false } }",
      'workspaces/other.yaml:4:12 unknown-override | there is no instance "reveiw" to change: did you mean "review"?',
    ],
    [
      "metadata: { name: other }\nvars: { none: 1 }",
      'workspaces/other.yaml:4:9 unknown-override | there is no variable "none" to change: there are no variables',
    ],
    [
      "metadata: { name: other }\nteams: { none: { vars: {} } }",
      'workspaces/other.yaml:4:10 unknown-override | there is no team "none"',
    ],
    ["metadata: {", "workspaces/other.yaml:4:1 yaml"],
  ])("%s", async (text, error) => {
    const found = await errors({ ...withModules(USE), ...other(text) });
    expect(found).toHaveLength(1);
    expect(found[0]?.slice(0, error.length)).toBe(error);
  });

  it("and where it is right, nothing is said", async () => {
    const text = `metadata: { name: other }
routes: { review-pr: { enabled: false } }
modules: { review: { params: { mood: harsh } } }`;
    expect(await errors({ ...withModules(USE), ...other(text) })).toEqual([]);
  });
});

it("items of an instance that this workspace switches off, or the other one changes, may exist there", async () => {
  const files = {
    ...withModules(USE),
    ...other("metadata: { name: other }\nroutes: { review-pr: { enabled: false } }"),
    "workspaces/off.yaml": `${HEAD} Workspace\nmetadata: { name: off }\nmodules: { review: { enabled: false } }\n`,
  };
  expect(await errors(files, "off")).toEqual([]);
  expect(await errors(files)).toEqual([]);
});

it("a name that a variable is part of may be another one there", async () => {
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: references of the language
  const manifest = `${HEAD} Project
metadata: { name: acme }
vars: { place: home }
sources:
  - { id: "\${vars.place}-hub", connector: "@orgloop/connector-github" }
`;
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: references of the language
  const text =
    "metadata: { name: other }\nvars: { place: away }\nsources: { away-hub: { poll: { interval: 1m } } }";
  expect(await errors({ "orgloop.yaml": manifest, ...other(text) })).toEqual([]);
  const wrong = text.replace("vars: { place: away }\n", "");
  expect(await errors({ "orgloop.yaml": manifest, ...other(wrong) })).toHaveLength(1);
});

it("a variable in what only looks like a name keeps nothing from being checked", async () => {
  const manifest = `${HEAD} Project
metadata: { name: acme }
vars: { place: home }
sources: [{ id: hub, connector: "@orgloop/connector-github" }]
actors: [{ id: a, connector: "@orgloop/connector-exec" }]
routes:
  - name: r
    when: { source: hub, events: [resource.changed], filter: { payload.repository.name: [{ prefix: "\${vars.place}" }] } }
    then: { actor: a }
`;
  const text =
    "metadata: { name: other }\nvars: { place: away }\nsources: { hubb: { poll: { interval: 1m } } }";
  expect(await errors({ "orgloop.yaml": manifest, ...other(text) })).toEqual([
    'workspaces/other.yaml:5:12 unknown-override | there is no source "hubb" to change: did you mean "hub"?',
  ]);
});

it("what is wrong in both the project and a workspace is told once", async () => {
  const files = {
    ...REVIEW,
    "orgloop.yaml": `${HEAD} Project\nmetadata: { name: a }\nbuss: file\n`,
  };
  expect(await errors({ ...files, ...other("metadata: { name: other }") })).toEqual([
    'orgloop.yaml:4:1 unknown-key | unknown key "buss": did you mean "bus"?',
  ]);
});

it("a load that does not ask for it does not read them", async () => {
  const path = temporaryProject({ ...withModules(USE), ...other("nonsense: [") });
  expect((await loadProject({ path, env })).errors).toEqual([]);
});
