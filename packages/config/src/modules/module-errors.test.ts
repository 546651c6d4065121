import { describe, expect, it } from "vitest";
import { HEAD, lines, load, REVIEW, USE, withModules } from "../../test/review-module.ts";

const said = async (uses: string, files?: Record<string, string>) =>
  lines((await load(withModules(uses, files))).errors);

describe("what a use gets wrong is one line, at its place in the file that the user wrote", () => {
  const use = (params: string, more = "") =>
    `  - { package: ./modules/review, params: { ${params} }${more} }`;

  it.each([
    [
      "a missing parameter",
      use("agent_actor: agent-1"),
      'orgloop.yaml:11:16 missing-parameter | module "review" needs the parameter "github_source": the id of a source',
    ],
    [
      "an unknown parameter",
      use("github_source: hub, agent_actor: agent-1, brust: 1"),
      'orgloop.yaml:11:86 unknown-parameter | module "review" has no parameter "brust": did you mean "burst"?',
    ],
    [
      "a mistyped name of a required one",
      use("github_sauce: hub, agent_actor: agent-1"),
      'orgloop.yaml:11:44 unknown-parameter | module "review" has no parameter "github_sauce": did you mean "github_source"?',
    ],
    [
      "a number that is text",
      use("github_source: hub, agent_actor: agent-1, burst: many"),
      'orgloop.yaml:11:93 wrong-parameter | parameter "burst": expected a number, found "many"',
    ],
    [
      "a rate that is none",
      use("github_source: hub, agent_actor: agent-1, max_rate: 5/d"),
      'orgloop.yaml:11:96 wrong-parameter | parameter "max_rate": expected a rate: a whole number above 0 and /s, /m or /h, e.g. 100/s, found "5/d"',
    ],
    [
      "a duration that is none",
      use("github_source: hub, agent_actor: agent-1, wait: 5"),
      'orgloop.yaml:11:92 wrong-parameter | parameter "wait": expected a duration: a whole number and ms, s, m, h or d, e.g. 30s, found 5',
    ],
    [
      "a value that is not among them",
      use("github_source: hub, agent_actor: agent-1, mood: hrash"),
      'orgloop.yaml:11:92 wrong-parameter | parameter "mood": expected one of kind, harsh, found "hrash": did you mean "harsh"?',
    ],
    [
      "a source that does not exist",
      use("github_source: hubb, agent_actor: agent-1"),
      'orgloop.yaml:11:59 unknown-reference | parameter "github_source": unknown source "hubb": did you mean "hub"?',
    ],
    [
      "a source of the wrong connector",
      use("github_source: clock, agent_actor: agent-1"),
      'orgloop.yaml:11:59 wrong-connector | source "clock" uses @orgloop/connector-cron; module "review" needs @orgloop/connector-github',
    ],
    [
      "an actor for a source",
      use("github_source: agent-1, agent_actor: agent-1"),
      'orgloop.yaml:11:59 unknown-reference | parameter "github_source": unknown source "agent-1": "agent-1" is an actor',
    ],
    [
      "a value that its place does not take",
      use("github_source: hub, agent_actor: agent-1, burst: 0.5"),
      "orgloop.yaml:11:93 invalid-value | expected a whole number, at least 1, found 0.5 (modules/review/templates/routes.yaml:13:61)",
    ],
    [
      "a prompt that is missing",
      use("github_source: hub, agent_actor: agent-1, prompt: none.md"),
      'orgloop.yaml:11:94 file | there is no file "none.md"; looked for none.md (modules/review/templates/routes.yaml:14:26)',
    ],
    [
      "a module that is not there",
      "  - { package: ./modules/reviews }",
      'orgloop.yaml:11:16 module | there is no folder "./modules/reviews"',
    ],
    [
      "a module out of the project",
      "  - { package: ../review }",
      'orgloop.yaml:11:16 module | "../review" leads out of the project',
    ],
    [
      "a package that is not installed",
      '  - { package: "@acme/none" }',
      'orgloop.yaml:11:16 module | package "@acme/none" is not installed: run npm install @acme/none',
    ],
    [
      "a folder that is no module",
      "  - { package: ./modules }",
      'orgloop.yaml:11:16 module | the folder "./modules" is no module: it has no orgloop-module.yaml',
    ],
    [
      "an unknown key of the use",
      use("github_source: hub, agent_actor: agent-1", ", nmae: x"),
      'orgloop.yaml:11:88 unknown-key | unknown key "nmae": did you mean "name"?',
    ],
    [
      "two instances with one name",
      `${USE}\n${USE}`,
      'orgloop.yaml:12:16 duplicate-instance | there is already an instance "review", at orgloop.yaml:11:5: give one of them another name',
    ],
  ])("%s", async (_, uses, expected) => {
    const found = await said(uses);
    expect(found).toEqual([expected]);
  });

  it("modules in a circle", async () => {
    const module = (name: string, other: string) => ({
      [`modules/${name}/orgloop-module.yaml`]: `${HEAD} Module\nmetadata: { name: ${name} }\nmodules: [{ package: ../${other} }]\n`,
    });
    expect(
      await said("  - { package: ./modules/a }", { ...module("a", "b"), ...module("b", "a") }),
    ).toEqual(["orgloop.yaml:11:16 module-circle | modules use each other in a circle: a → b → a"]);
  });

  it("what another team does not export", async () => {
    const found = await said(use("github_source: web/repo, agent_actor: agent-1"), {
      "teams/web/team.yaml": `${HEAD} Team\nowners: lea\n`,
      "teams/web/s.yaml": `${HEAD} ConnectorGroup\nsources: [{ id: repo, connector: "@orgloop/connector-github" }]\n`,
    });
    expect(found).toEqual([
      'orgloop.yaml:11:59 not-exported | parameter "github_source": source "web/repo" is not exported by team "web" (owners: lea): ask for "repo" under exports in teams/web/team.yaml',
    ]);
  });
});

it("what another team does not export is an error though the module could do without it: it exists", async () => {
  const found = await load(
    withModules(
      "  - { package: ./modules/review, params: { github_source: hub, agent_actor: web/bot } }",
      {
        "teams/web/team.yaml": `${HEAD} Team\nowners: lea\n`,
        "teams/web/a.yaml": `${HEAD} ConnectorGroup\nactors: [{ id: bot, connector: "@orgloop/connector-exec" }]\n`,
      },
    ),
  );
  expect(lines(found.errors)).toEqual([
    'orgloop.yaml:11:77 not-exported | parameter "agent_actor": actor "web/bot" is not exported by team "web" (owners: lea): ask for "bot" under exports in teams/web/team.yaml',
  ]);
  expect(found.warnings.filter(({ code }) => code === "missing-connector")).toEqual([]);
});

it("a name in a list is told once, at its place in the list, however many routes take the list", async () => {
  const files = {
    "modules/m/orgloop-module.yaml": `${HEAD} Module\nmetadata: { name: m }\nparameters: [{ name: from, type: list, required: true }]\n`,
    "modules/m/templates/r.yaml": `${HEAD} RouteGroup
routes:
  - { name: a, when: { source: "{{ params.from }}", events: [resource.changed] }, then: { actor: agent-1 } }
  - { name: b, when: { source: "{{ params.from }}", events: [resource.changed] }, then: { actor: agent-1 } }
`,
  };
  expect(
    await said("  - { package: ./modules/m, params: { from: [hub, hubb, 3] } }", files),
  ).toEqual([
    'orgloop.yaml:11:51 unknown-reference | unknown source "hubb": did you mean "hub"? (modules/m/templates/r.yaml:4:32)',
    "orgloop.yaml:11:57 invalid-value | expected the id of a source, found 3 (modules/m/templates/r.yaml:4:32)",
  ]);
});

it("a workspace that changes an instance of a module with errors is not told that there is none", async () => {
  const manifest = REVIEW["modules/review/orgloop-module.yaml"].replace("type: rate", "type: rat");
  const found = await load(
    withModules(USE.replace("review,", "review, name: r,"), {
      "modules/review/orgloop-module.yaml": manifest,
      "workspaces/s.yaml": `${HEAD} Workspace\nmetadata: { name: s }\nmodules: { r: { params: { mood: harsh } } }\n`,
    }),
    "s",
  );
  expect(found.errors.map(({ file }) => file)).toEqual(["modules/review/orgloop-module.yaml"]);
});

describe("what a module gets wrong is told once, in the module's file", () => {
  const broken = (text: string, name = "templates/routes.yaml") =>
    said(`${USE}\n${USE.replace("review,", "review, name: second,")}`, {
      [`modules/review/${name}`]: text,
    });

  it("a key that does not exist, a parameter that nobody declares, a placeholder in a key", async () => {
    expect(
      await broken(`${HEAD} RouteGroup
routes:
  - name: x
    wen: { source: github }
    when: { source: github, events: [resource.changed], filter: { "payload.{{ params.mood }}": 1 } }
    then: { actor: agent, config: { a: "{{ params.moood }}", b: "{{ module.nmae }} {{ params.labels }}" } }
`),
    ).toEqual([
      'modules/review/templates/routes.yaml:5:5 unknown-key | unknown key "wen": did you mean "when"?',
      "modules/review/templates/routes.yaml:6:67 placeholder-in-key | placeholders are replaced in values, not in keys",
      'modules/review/templates/routes.yaml:7:40 unknown-parameter | there is no {{ params.moood }}: did you mean "mood"?',
      'modules/review/templates/routes.yaml:7:65 unknown-parameter | there is no {{ module.nmae }}: did you mean "name"?',
      "modules/review/templates/routes.yaml:7:65 wrong-parameter | {{ params.labels }} is a list: it cannot stand inside a text",
    ]);
  });

  it("a prompt file that is missing, or out of the module", async () => {
    const route = (file: string) =>
      `${HEAD} RouteGroup\nroutes: [{ name: x, when: { source: github, events: [resource.changed] }, then: { actor: agent }, with: { prompt_file: ${file} } }]\n`;
    expect(await broken(route("none.md"))).toEqual([
      'modules/review/templates/routes.yaml:3:120 file | there is no file "none.md"; looked for modules/review/templates/none.md and modules/review/none.md',
    ]);
    expect(await broken(route("../sops/none.md"))).toEqual([
      'modules/review/templates/routes.yaml:3:120 file | there is no file "../sops/none.md"; looked for modules/review/sops/none.md',
    ]);
    expect(await broken(route("../../../orgloop.yaml"))).toEqual([
      'modules/review/templates/routes.yaml:3:120 file | "../../../orgloop.yaml" leads out of the module',
    ]);
  });

  it("a manifest that is none, a default that does not fit", async () => {
    const manifest = REVIEW["modules/review/orgloop-module.yaml"];
    expect(await broken(manifest.replace("metadata:", "metdata:"), "orgloop-module.yaml")).toEqual([
      'modules/review/orgloop-module.yaml:3:1 unknown-key | unknown key "metdata": did you mean "metadata"?',
    ]);
    expect(
      await broken(manifest.replace("default: 2 }", "default: two }"), "orgloop-module.yaml"),
    ).toEqual([
      'modules/review/orgloop-module.yaml:12:43 wrong-parameter | parameter "burst": expected a number, found "two"',
    ]);
  });

  it("a name that only the place of the use could have is told at the use", async () => {
    expect(
      await said(USE, {
        "modules/review/templates/routes.yaml": `${HEAD} RouteGroup\nroutes: [{ name: x, when: { source: gitlab, events: [resource.changed] }, then: { actor: agent } }]\n`,
      }),
    ).toEqual([
      'orgloop.yaml:11:16 unknown-reference | unknown source "gitlab"; sources: hub, clock (modules/review/templates/routes.yaml:3:37)',
    ]);
  });
});

it("what is wrong elsewhere is told beside an instance that cannot be expanded, and what it may hold is not", async () => {
  const routes = (source: string) =>
    `${HEAD} RouteGroup\nroutes: [{ name: r, when: { source: ${source}, events: [resource.changed] }, then: { actor: agent-1 } }]\n`;
  const broken = USE.replace("hub,", "hub, brust: 1,");
  const unknown =
    'orgloop.yaml:11:64 unknown-parameter | module "review" has no parameter "brust": did you mean "burst"?';
  expect(await said(broken, { "routes/r.yaml": routes("review-hook") })).toEqual([unknown]);
  expect(await said(broken, { "routes/r.yaml": routes("hubb") })).toEqual([
    unknown,
    'routes/r.yaml:3:37 unknown-reference | unknown source "hubb": did you mean "hub"?',
  ]);
});
