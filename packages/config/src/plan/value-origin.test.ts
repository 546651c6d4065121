import { expect, it } from "vitest";
import { load, withModules } from "../../test/review-module.ts";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "../resolve/load-project.ts";
import { locate, valueOrigin } from "./value-origin.ts";

it("tells where every value of an item was written, also where defaults fill it in", async () => {
  const home = temporaryProject({ "config.yaml": "defaults:\n  delivery:\n    timeout: 9s\n" });
  const path = temporaryProject({
    "orgloop.yaml": `apiVersion: orgloop/v1alpha1
kind: Project
metadata: { name: demo }
defaults:
  delivery:
    retry: { max_attempts: 9 }
sources:
  - id: s
    connector: x
    config: &shared
      deep: [1, { a: 2 }]
actors:
  - { id: a, connector: x, config: { <<: *shared, own: 1 } }
transforms: [{ name: t, type: "@orgloop/transform-filter" }]
`,
    "routes/r.yaml": `apiVersion: orgloop/v1alpha1
kind: RouteGroup
routes:
  - name: r
    when:
      source: s
      events: [resource.changed]
      filter: { payload.a: 1 }
    then:
      actor: a
      delivery:
        max_rate: 5/s
    with: { prompt_file: ../p.md }
`,
    "p.md": "x",
  });
  const { provenance, errors } = await loadProject({ path, env: { ORGLOOP_HOME: home } });
  expect(errors).toEqual([]);
  const where = (
    kind: Parameters<typeof valueOrigin>[1],
    name: string,
    ...steps: (string | number)[]
  ) => {
    const found = valueOrigin(provenance, kind, name, steps);
    return (
      found && `${found.file.replace(home, "HOME")}:${found.line}:${found.column} ${found.path}`
    );
  };
  expect(where("source", "s", "config", "deep", 1, "a")).toBe(
    "orgloop.yaml:11:22 sources[0].config.deep[1].a",
  );
  expect(where("actor", "a", "config", "deep", 0)).toBe(
    "orgloop.yaml:11:14 actors[0].config.deep[0]",
  );
  expect(where("actor", "a", "config", "own")).toBe("orgloop.yaml:13:56 actors[0].config.own");
  expect(where("actor", "a", "queue_depth")).toBeNull();
  expect(where("transform", "t", "package")).toBe("orgloop.yaml:14:31 transforms[0].type");
  expect(where("route", "r", "when", "source", 0)).toBe("routes/r.yaml:6:15 routes[0].when.source");
  expect(where("route", "r", "when", "filter", "payload.a")).toBe(
    'routes/r.yaml:8:28 routes[0].when.filter["payload.a"]',
  );
  expect(where("route", "r", "delivery", "max_rate")).toBe(
    "routes/r.yaml:12:19 routes[0].then.delivery.max_rate",
  );
  expect(where("route", "r", "delivery", "retry", "max_attempts")).toBe(
    "orgloop.yaml:6:28 defaults.delivery.retry.max_attempts",
  );
  expect(where("route", "r", "delivery", "timeout")).toBe(
    "HOME/config.yaml:3:14 defaults.delivery.timeout",
  );
  expect(where("route", "r", "delivery", "burst")).toBeNull();
  expect(where("route", "r", "with", "prompt", "text")).toBe(
    "routes/r.yaml:13:26 routes[0].with.prompt_file",
  );
  expect(where("route", "none")).toBeNull();
  expect(locate(provenance, "routes/r.yaml", ["routes", 0, "name"])).toEqual({
    line: 4,
    column: 11,
  });
  expect(locate(provenance, "none.yaml", [])).toBeNull();
});

it("says where a module's instance was told which source and actor it uses", async () => {
  const { provenance } = await load(
    withModules(
      "  - { package: ./modules/review, params: { github_source: hub, agent_actor: agent-1 } }",
    ),
  );
  const where = (...steps: (string | number)[]) => {
    const found = valueOrigin(provenance, "route", "review-log", steps);
    return found && `${found.file} ${found.path}`;
  };
  // Written as `source: github` in the module: its `requires` says that a parameter stands for it.
  expect(where("when", "source", 0)).toBe("orgloop.yaml modules[0].params.github_source");
  expect(where("then", "actor")).toBe("modules/review/templates/routes.yaml routes[1].then.actor");
  const actor = valueOrigin(provenance, "route", "review-pr", ["then", "actor"]);
  expect(actor?.path).toBe("modules[0].params.agent_actor");
});

it("says where every part of a list was given that is a module's parameter, also through another module", async () => {
  const outer = {
    "modules/outer/orgloop-module.yaml": `apiVersion: orgloop/v1alpha1
kind: Module
metadata: { name: outer }
parameters: [{ name: tags, type: list }]
modules:
  - { package: ../review, params: { github_source: hub, agent_actor: agent-1, labels: "{{ params.tags }}" } }
`,
  };
  const given = "github_source: hub, agent_actor: agent-1";
  const { provenance, errors } = await load(
    withModules(
      `  - { package: ./modules/review, params: { ${given}, labels: [bug, { prefix: deep }] } }
  - { package: ./modules/review, name: plain, params: { ${given} } }
  - { package: ./modules/outer, params: { tags: [one, two] } }`,
      outer,
    ),
  );
  expect(errors).toEqual([]);
  const where = (name: string, ...steps: (string | number)[]) => {
    const label = ["when", "filter", "payload.label", ...steps];
    const found = valueOrigin(provenance, "route", name, label);
    return found && `${found.file} ${found.path}`;
  };
  expect(where("review-pr", 0)).toBe("orgloop.yaml modules[0].params.labels[0]");
  expect(where("review-pr", 1, "prefix")).toBe("orgloop.yaml modules[0].params.labels[1].prefix");
  expect(where("outer-review-pr", 1)).toBe("orgloop.yaml modules[2].params.tags[1]");
  const template = 'routes[0].when.filter["payload.label"]';
  expect(where("plain-pr", 0)).toBe(`modules/review/templates/routes.yaml ${template}[0]`);
});
