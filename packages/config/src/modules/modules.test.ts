import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  env,
  HEAD,
  lines,
  load,
  MANIFEST,
  REVIEW,
  USE,
  withModules,
} from "../../test/review-module.ts";
import { temporaryProject } from "../../test/temporary-project.ts";
import { valueOrigin } from "../plan/value-origin.ts";
import { loadProject } from "../resolve/load-project.ts";

describe("an instance of a module", () => {
  it("is its templates, with names of its own and the parameters in them, each of its type", async () => {
    const { topology, errors } = await load(
      withModules(
        "  - { package: ./modules/review, name: fast, params: { github_source: hub, agent_actor: agent-1, labels: [a, b], strict: true, wait: 5m, burst: 9 } }",
      ),
    );
    expect(errors).toEqual([]);
    expect(topology?.transforms[0]).toMatchObject({
      name: "fast-clean",
      config: { at: "modules/review" },
    });
    expect(topology?.routes[0]).toMatchObject({
      name: "fast-pr",
      when: { source: ["hub"], filter: { "payload.label": ["a", "b"], "payload.draft": true } },
      transforms: [{ ref: "fast-clean" }],
      then: { actor: "agent-1", config: { subject: "fast: {{payload.title}} (kind)" } },
      delivery: { max_rate: "10/s", burst: 9, max_age: "5m" },
      with: { prompt_file: "modules/review/sops/review.md", prompt: { text: "Review." } },
    });
    expect(topology?.routes[1]).toMatchObject({ name: "fast-log", when: { source: ["hub"] } });
  });

  it("has the module's name where it has none, and leaves out what nobody gives", async () => {
    const { topology, errors } = await load(withModules(USE));
    expect(errors).toEqual([]);
    expect(topology?.routes.map(({ name }) => name)).toEqual(["review-pr", "review-log"]);
    expect(topology?.routes[0]?.delivery).not.toHaveProperty("max_age");
  });

  it("is not merged with another of the same module, though both share a source", async () => {
    const { topology, errors } = await load(
      withModules(`${USE}\n${USE.replace("review,", "review, name: second,")}`),
    );
    expect(errors).toEqual([]);
    expect(topology?.routes.map(({ name, when }) => [name, when.source])).toEqual([
      ["review-pr", ["hub"]],
      ["review-log", ["hub"]],
      ["second-pr", ["hub"]],
      ["second-log", ["hub"]],
    ]);
  });

  it("stands in a team, and refers to what the team has", async () => {
    const { topology, errors } = await load({
      ...REVIEW,
      "orgloop.yaml": MANIFEST,
      "teams/web/team.yaml": `${HEAD} Team\nmodules:\n${USE.replace("agent-1", "bot").replace("./modules", "../../modules")}\n`,
      "teams/web/actors.yaml": `${HEAD} ConnectorGroup\nactors: [{ id: bot, connector: x }]\n`,
    });
    expect(errors).toEqual([]);
    expect(
      topology?.routes.map(({ name, then, transforms }) => [name, then.actor, transforms]),
    ).toEqual([
      ["web/review-pr", "web/bot", [{ ref: "web/review-clean" }]],
      ["web/review-log", "records", []],
    ]);
  });

  it("comes from a package of the project", async () => {
    const directory = temporaryProject({
      "project/orgloop.yaml": `${MANIFEST}modules:\n${USE.replace("./modules/review", '"@acme/module-review"')}\n`,
      "project/node_modules/@acme/x": "",
      ...REVIEW,
    });
    symlinkSync(
      join(directory, "modules/review"),
      join(directory, "project/node_modules/@acme/module-review"),
    );
    const { topology, errors } = await loadProject({ path: join(directory, "project"), env });
    expect(errors).toEqual([]);
    expect(topology?.routes[0]?.with?.prompt_file).toBe(
      "node_modules/@acme/module-review/sops/review.md",
    );
    expect(JSON.stringify(topology)).not.toContain(directory);
  });

  it("may use modules, and passes its parameters on", async () => {
    const { topology, errors } = await load({
      ...withModules("  - { package: ./modules/outer, params: { hub: hub } }"),
      "modules/outer/orgloop-module.yaml": `${HEAD} Module
metadata: { name: outer }
parameters: [{ name: hub, type: source, required: true }]
modules:
  - { package: ../review, name: in, params: { github_source: "{{ params.hub }}", agent_actor: mine } }
`,
      "modules/outer/templates/actors.yaml": `${HEAD} ConnectorGroup\nactors: [{ id: mine, connector: x }]\n`,
    });
    expect(errors).toEqual([]);
    expect(topology?.actors.map(({ id }) => id)).toContain("outer-mine");
    expect(topology?.routes.map(({ name, when, then }) => [name, when.source, then.actor])).toEqual(
      [
        ["outer-in-pr", ["hub"], "outer-mine"],
        ["outer-in-log", ["hub"], "records"],
      ],
    );
  });

  it("finds its files by their path from the project, and takes variables in its defaults", async () => {
    const manifest = REVIEW["modules/review/orgloop-module.yaml"];
    const { topology, errors } = await load(
      withModules(USE, {
        "orgloop.yaml": `${MANIFEST}vars: { pace: 3/m }\nmodules:\n${USE}\n`,
        "modules/review/orgloop-module.yaml": manifest.replace(
          "default: 10/s",
          `default: "$\{vars.pace}"`,
        ),
        "modules/review/templates/routes.yaml": REVIEW[
          "modules/review/templates/routes.yaml"
        ].replace('"{{ params.prompt }}"', '"{{ module.path }}/sops/review.md"'),
      }),
    );
    expect(lines(errors)).toEqual([]);
    expect(topology?.routes[0]).toMatchObject({
      delivery: { max_rate: "3/m" },
      with: { prompt_file: "modules/review/sops/review.md" },
    });
  });

  it("has parameters of any name that nobody inherits", async () => {
    const manifest = REVIEW["modules/review/orgloop-module.yaml"];
    const { errors } = await load(
      withModules(USE, {
        "modules/review/orgloop-module.yaml": `${manifest}  - { name: toString, type: number, default: 1 }\n`,
      }),
    );
    expect(lines(errors)).toEqual([]);
  });

  it("takes a prompt of the project through a parameter", async () => {
    const { topology, errors } = await load(
      withModules(USE.replace("hub,", "hub, prompt: sops/own.md,"), { "sops/own.md": "Own." }),
    );
    expect(errors).toEqual([]);
    expect(topology?.routes[0]?.with?.prompt).toEqual({
      file: "sops/own.md",
      text: "Own.",
      meta: null,
    });
  });

  it("replaces nothing inside what a parameter brings", async () => {
    const { topology } = await load(
      withModules(
        USE.replace("hub,", 'hub, prompt: sops/review.md, labels: ["{{ params.mood }}"],'),
      ),
    );
    expect(topology?.routes[0]?.when.filter).toMatchObject({
      "payload.label": ["{{ params.mood }}"],
    });
  });

  it("and the team of an item are told with its place", async () => {
    const { provenance } = await load({
      ...REVIEW,
      "orgloop.yaml": MANIFEST,
      "teams/web/team.yaml": `${HEAD} Team\nmodules:\n${USE}\n`,
    });
    expect(provenance.originOf("route", "web/review-pr")).toMatchObject({
      owner: { team: "web", instance: "web/review" },
    });
    expect(provenance.originOf("source", "hub")).toMatchObject({
      owner: { team: null, instance: null },
    });
  });

  it("tells which parameter a value came from", async () => {
    const { provenance } = await load(withModules(USE.replace("hub,", "hub, burst: 4,")));
    const from = (...path: (string | number)[]) => {
      const found = valueOrigin(provenance, "route", "review-pr", path);
      return found && `${found.file}:${found.line} ${found.path}`;
    };
    expect(from("delivery", "burst")).toBe("orgloop.yaml:11 modules[0].params.burst");
    expect(from("when", "source", 0)).toBe("orgloop.yaml:11 modules[0].params.github_source");
    expect(from("delivery", "max_rate")).toBe(
      "modules/review/templates/routes.yaml:13 routes[0].then.delivery.max_rate",
    );
  });

  it("is listed, with what it expands to", async () => {
    const { instances } = await load(withModules(USE.replace("hub,", "hub, burst: 4,")));
    expect(instances).toMatchObject([
      {
        name: "review",
        module: { name: "review", version: "1.2.3", path: "modules/review" },
        team: null,
        use: { file: "orgloop.yaml", line: 11 },
        items: [
          { kind: "route", name: "review-pr" },
          { kind: "route", name: "review-log" },
          { kind: "transform", name: "review-clean" },
        ],
      },
    ]);
    const params = instances[0]?.params.map(({ name, value, from }) => [name, value, from?.column]);
    expect(params).toContainEqual(["burst", 4, 71]);
    expect(params).toContainEqual(["mood", "kind", undefined]);
  });

  it("is changed or switched off by a workspace", async () => {
    const workspace = (text: string) => ({
      "workspaces/s.yaml": `${HEAD} Workspace\nmetadata: { name: s }\n${text}\n`,
    });
    const changed = await load(
      withModules(
        USE,
        workspace(
          "modules: { review: { params: { burst: 7 } } }\nroutes: { review-log: { enabled: false } }",
        ),
      ),
      "s",
    );
    expect(changed.errors).toEqual([]);
    expect(changed.topology?.routes.map(({ name, delivery }) => [name, delivery.burst])).toEqual([
      ["review-pr", 7],
    ]);
    expect(valueOrigin(changed.provenance, "route", "review-pr", ["delivery", "burst"])?.file).toBe(
      "workspaces/s.yaml",
    );
    const off = await load(
      withModules(USE, workspace("modules: { review: { enabled: false } }")),
      "s",
    );
    expect(off.topology?.routes).toEqual([]);
    const wrong = await load(
      withModules(USE, workspace("modules: { reveiw: {}, review: { params: { burts: 7 } } }")),
      "s",
    );
    expect(lines(wrong.errors)).toEqual([
      'workspaces/s.yaml:4:12 unknown-override | there is no instance "reveiw" to change: did you mean "review"?',
      'workspaces/s.yaml:4:44 unknown-parameter | module "review" has no parameter "burts": did you mean "burst"?',
    ]);
  });
});

describe("a connector that is missing", () => {
  it("with fallback queue keeps the route, which waits; with skip it is left out", async () => {
    const { topology, errors, warnings } = await load({
      ...withModules("  - { package: ./modules/review, params: { github_source: hub } }"),
      "orgloop.yaml": `${MANIFEST.replace("records", "other")}modules:\n  - { package: ./modules/review, params: { github_source: hub } }\n`,
    });
    expect(errors).toEqual([]);
    expect(topology?.routes.map(({ name, then }) => [name, then])).toEqual([
      ["review-pr", { actor: "agent", config: expect.anything(), queue_until_exists: true }],
    ]);
    expect(lines(warnings.filter(({ code }) => code === "missing-connector"))).toEqual([
      'orgloop.yaml:11:16 missing-connector | parameter "agent_actor": unknown actor "agent": did you mean "agent-1"? Its events wait until it exists',
      'orgloop.yaml:11:16 missing-connector | module "review" needs it: unknown actor "records"; actors: agent-1, other. The routes that need it are left out',
    ]);
  });
});
