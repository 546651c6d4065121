import { describe, expect, it } from "vitest";
import { temporaryProject } from "../../test/temporary-project.ts";
import { valueOrigin } from "../plan/value-origin.ts";
import { loadProject } from "./load-project.ts";

const env = { ORGLOOP_HOME: "/dev/null/none" };
const HEAD = "apiVersion: orgloop/v1alpha1\nkind:";

const PROJECT = {
  "orgloop.yaml": `${HEAD} Project
metadata: { name: acme }
vars: { api: "https://root.test", mode: root }
defaults: { poll_interval: 5m, delivery: { timeout: 9s, retry: { max_attempts: 7 } } }
sources: [{ id: hub, connector: "@orgloop/connector-webhook", config: { secret: s } }]
actors: [{ id: oncall, connector: "@orgloop/connector-exec" }]
`,
  "teams/platform/team.yaml": `${HEAD} Team
owners: ["@acme/platform", lea]
vars: { api: "https://platform.test" }
defaults: { poll_interval: 1m, delivery: { timeout: 3s } }
exports: [agent, repo]
`,
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: references of the language
  "teams/platform/connectors/all.yaml": `${HEAD} ConnectorGroup
sources:
  - { id: repo, connector: "@orgloop/connector-github", config: { url: "\${vars.api}", mode: "\${vars.mode}" } }
  - { id: slow, connector: "@orgloop/connector-github", poll: { interval: 1h } }
actors:
  - { id: agent, connector: "@orgloop/connector-exec" }
  - { id: secretive, connector: "@orgloop/connector-exec" }
`,
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: references of the language
  "teams/platform/routes/deep/review.yaml": `${HEAD} RouteGroup
routes:
  - name: review
    when: { source: [repo, hub, slow], events: [resource.changed] }
    transforms: [{ ref: clean }]
    then: { actor: agent }
    with: { prompt_file: review.md }
`,
  "teams/platform/routes/deep/review.md": "Review.",
  "teams/platform/clean.yaml": `${HEAD} TransformGroup
transforms: [{ name: clean, type: "@orgloop/transform-filter" }]
`,
  "teams/platform/routes/review.test.yaml": "not: loaded",
  "teams/platform/own-module/orgloop-module.yaml": "not: loaded",
  "teams/platform/own-module/templates.yaml": "not: loaded",
  "teams/frontend/routes.yaml": `${HEAD} RouteGroup
routes:
  - { name: review, when: { source: platform/repo, events: [resource.changed] }, then: { actor: platform/agent } }
  - { name: page, when: { source: hub, events: [resource.changed] }, then: { actor: oncall } }
`,
};

const load = (files: Record<string, string>, workspace = "default") =>
  loadProject({ path: temporaryProject(files), env, workspace });

const said = async (files: Record<string, string>, workspace?: string) =>
  (await load({ ...PROJECT, ...files }, workspace)).errors.map(
    ({ file, line, code, message }) => `${file}:${line} ${code} | ${message}`,
  );

const frontend = (line: string) =>
  said({ "teams/frontend/routes.yaml": `${HEAD} RouteGroup\nroutes:\n  - ${line}\n` });

describe("teams", () => {
  it("prefix their names, and look names up in the team, then at the root", async () => {
    const { topology, errors } = await load(PROJECT);
    expect(errors).toEqual([]);
    expect(topology?.sources.map(({ id }) => id)).toEqual([
      "hub",
      "platform/repo",
      "platform/slow",
    ]);
    expect(topology?.actors.map(({ id }) => id)).toEqual([
      "oncall",
      "platform/agent",
      "platform/secretive",
    ]);
    expect(
      topology?.routes.map(({ name, when, then, transforms }) => [
        name,
        when.source,
        then.actor,
        transforms,
      ]),
    ).toEqual([
      ["frontend/review", ["platform/repo"], "platform/agent", []],
      ["frontend/page", ["hub"], "oncall", []],
      [
        "platform/review",
        ["platform/repo", "hub", "platform/slow"],
        "platform/agent",
        [{ ref: "platform/clean" }],
      ],
    ]);
    expect(topology?.routes[2]?.with?.prompt_file).toBe("teams/platform/routes/deep/review.md");
  });

  it("an own name hides one of the root", async () => {
    const { topology } = await load({
      ...PROJECT,
      "teams/frontend/actors.yaml": `${HEAD} ConnectorGroup\nactors: [{ id: oncall, connector: x }]\n`,
    });
    expect(topology?.routes[1]?.then.actor).toBe("frontend/oncall");
  });

  it("have vars and defaults of their own, before the project's", async () => {
    const { topology, provenance } = await load(PROJECT);
    expect(topology?.sources[1]).toMatchObject({
      config: { url: "https://platform.test", mode: "root" },
      poll: { interval: "1m" },
    });
    expect(topology?.sources[2]?.poll).toEqual({ interval: "1h" });
    expect(topology?.sources[0]?.poll).toBeUndefined();
    expect(topology?.routes.map(({ delivery }) => delivery.timeout)).toEqual(["9s", "9s", "3s"]);
    expect(topology?.routes[2]?.delivery.retry.max_attempts).toBe(7);
    const from = (kind: "route" | "source", name: string, ...path: string[]) =>
      valueOrigin(provenance, kind, name, path)?.file;
    expect(from("route", "platform/review", "delivery", "timeout")).toBe(
      "teams/platform/team.yaml",
    );
    expect(from("route", "frontend/page", "delivery", "timeout")).toBe("orgloop.yaml");
    expect(from("source", "platform/repo", "poll", "interval")).toBe("teams/platform/team.yaml");
  });

  it("may lie in another folder, and files that the manifest lists are the root's", async () => {
    const { topology, errors } = await load({
      "orgloop.yaml": `${HEAD} Project\nmetadata: { name: a }\nteams: ./groups\nconnectors: [groups/a/x.yaml]\n`,
      "groups/a/x.yaml": `${HEAD} ConnectorGroup\nactors: [{ id: x, connector: c }]\n`,
      "groups/a/y.yaml": `${HEAD} ConnectorGroup\nactors: [{ id: y, connector: c }]\n`,
    });
    expect(errors).toEqual([]);
    expect(topology?.actors.map(({ id }) => id)).toEqual(["x", "a/y"]);
  });

  it("are changed by a workspace, their items by full name", async () => {
    const { topology, errors } = await load(
      {
        ...PROJECT,
        "workspaces/s.yaml": `${HEAD} Workspace
metadata: { name: s }
vars: { api: "https://s.test" }
defaults: { poll_interval: 9m }
teams: { platform: { vars: { api: "https://s.platform.test" }, defaults: { delivery: { burst: 3 } } } }
routes: { frontend/page: { enabled: false } }
`,
      },
      "s",
    );
    expect(errors).toEqual([]);
    expect(topology?.sources[1]).toMatchObject({
      config: { url: "https://s.platform.test" },
      poll: { interval: "1m" },
    });
    expect(topology?.routes.map(({ name, delivery }) => [name, delivery.burst])).toEqual([
      ["frontend/review", 1],
      ["platform/review", 3],
    ]);
  });
});

describe("what crosses a team's border", () => {
  const OWNERS = 'team "platform" (owners: @acme/platform, lea)';

  it("must be exported: the error names the owners", async () => {
    expect(
      await frontend(
        "{ name: r, when: { source: platform/repo, events: [resource.changed] }, then: { actor: platform/secretive } }",
      ),
    ).toEqual([
      `teams/frontend/routes.yaml:4 not-exported | actor "platform/secretive" is not exported by ${OWNERS}: ask for "secretive" under exports in teams/platform/team.yaml`,
    ]);
  });

  it("must be exported to the root as well", async () => {
    expect(
      await said({
        "routes/r.yaml": `${HEAD} RouteGroup\nroutes: [{ name: r, when: { source: platform/slow, events: [resource.changed] }, then: { actor: oncall } }]\n`,
      }),
    ).toEqual([
      `routes/r.yaml:3 not-exported | source "platform/slow" is not exported by ${OWNERS}: ask for "slow" under exports in teams/platform/team.yaml`,
    ]);
  });

  it("must exist", async () => {
    expect(
      await frontend(
        "{ name: r, when: { source: hub, events: [resource.changed] }, then: { actor: platform/agnet } }",
      ),
    ).toEqual([
      `teams/frontend/routes.yaml:4 unknown-reference | unknown actor "platform/agnet" of ${OWNERS}: did you mean "platform/agent"?`,
    ]);
  });

  it("must be switched on", async () => {
    const off = PROJECT["teams/platform/connectors/all.yaml"].replace(
      'id: agent, connector: "@orgloop/connector-exec"',
      'id: agent, connector: "@orgloop/connector-exec", enabled: false',
    );
    const [frontends, own] = await said({ "teams/platform/connectors/all.yaml": off });
    expect(frontends).toContain(
      'actor "platform/agent" (owners: @acme/platform, lea) is switched off',
    );
    expect(own).toContain('actor "platform/agent" is switched off');
  });
});

describe("what is wrong in a team is one line, at its place", () => {
  const file = "teams/frontend/x.yaml";

  it.each<[string, Record<string, string>, string]>([
    [
      "a mistyped name of its own",
      {
        "teams/frontend/routes.yaml": `${HEAD} RouteGroup\nroutes: [{ name: r, when: { source: hubb, events: [resource.changed] }, then: { actor: oncall } }]\n`,
      },
      'teams/frontend/routes.yaml:3 unknown-reference | unknown source "hubb": did you mean "hub"?',
    ],
    [
      "two items of one name",
      {
        [file]: `${HEAD} TransformGroup\ntransforms: [{ name: t, type: a/b }, { name: t, type: a/b }]\n`,
      },
      `${file}:3 duplicate-name | there is already a transform "frontend/t", at ${file}:3:14`,
    ],
    [
      "an export of nothing",
      { "teams/frontend/team.yaml": `${HEAD} Team\nexports: [pgae]\n` },
      'teams/frontend/team.yaml:3 unknown-export | team "frontend" has nothing named "pgae": did you mean "page"?',
    ],
    [
      "an unknown key",
      { "teams/frontend/team.yaml": `${HEAD} Team\nowner: me\n` },
      'teams/frontend/team.yaml:3 unknown-key | unknown key "owner": did you mean "owners"?',
    ],
    [
      "a file that does not say what it holds",
      { [file]: "routes: []\n" },
      `${file}:1 unknown-kind | "kind" is missing: expected one of ConnectorGroup, RouteGroup, TransformGroup, LoggerGroup`,
    ],
    [
      "a file of a kind that no team holds",
      { [file]: `${HEAD} RuoteGroup\n` },
      `${file}:2 unknown-kind | expected one of ConnectorGroup, RouteGroup, TransformGroup, LoggerGroup, found "RuoteGroup": did you mean "RouteGroup"?`,
    ],
    [
      "a variable of another team",
      {
        "teams/platform/team.yaml": PROJECT["teams/platform/team.yaml"].replace("api:", "apii:"),
        "orgloop.yaml": PROJECT["orgloop.yaml"].replace("api:", "other:"),
      },
      'teams/platform/connectors/all.yaml:4 unknown-variable | unknown variable "vars.api": did you mean "apii"?',
    ],
    [
      "a folder of teams that is not there",
      { "orgloop.yaml": `${PROJECT["orgloop.yaml"]}teams: groups\n` },
      'orgloop.yaml:8 file | there is no folder "groups"',
    ],
    [
      "a folder of teams out of the project",
      { "orgloop.yaml": `${PROJECT["orgloop.yaml"]}teams: ..\n` },
      'orgloop.yaml:8 file | ".." leads out of the project',
    ],
    [
      "a file that is empty",
      { "teams/platform/clean.yaml": "" },
      "teams/platform/clean.yaml:1 empty-file | the file is empty",
    ],
  ])("%s", async (_, files, expected) => {
    expect(await said(files)).toEqual([expected]);
  });

  it("a workspace that changes what a team does not have", async () => {
    const workspace = `${HEAD} Workspace
metadata: { name: s }
teams:
  platfrom: {}
  platform: { vars: { apii: x } }
routes: { page: { enabled: false } }
`;
    expect(await said({ "workspaces/s.yaml": workspace }, "s")).toEqual([
      'workspaces/s.yaml:5 unknown-override | there is no team "platfrom": did you mean "platform"?',
      'workspaces/s.yaml:6 unknown-override | team "platform" has no variable "apii": did you mean "api"?',
      'workspaces/s.yaml:7 unknown-override | there is no route "page" to change; routes: frontend/review, frontend/page, platform/review',
    ]);
  });
});
