import { loadProject } from "../src/resolve/load-project.ts";
import { temporaryProject } from "./temporary-project.ts";

export const env = { ORGLOOP_HOME: "/dev/null/none" };
export const HEAD = "apiVersion: orgloop/v1alpha1\nkind:";

export const REVIEW = {
  "modules/review/orgloop-module.yaml": `${HEAD} Module
metadata: { name: review, version: 1.2.3 }
requires:
  connectors:
    - { type: source, id: github, connector: "@orgloop/connector-github", param: github_source }
    - { type: actor, id: agent, param: agent_actor, required: false, fallback: queue }
    - { type: actor, id: records, required: false, fallback: skip }
parameters:
  - { name: github_source, type: string, required: true }
  - { name: max_rate, type: rate, default: 10/s }
  - { name: burst, type: number, default: 2 }
  - { name: strict, type: boolean, default: false }
  - { name: mood, type: enum, values: [kind, harsh], default: kind }
  - { name: wait, type: duration }
  - { name: labels, type: list, default: [any] }
  - { name: prompt, type: string, default: sops/review.md }
`,
  "modules/review/templates/routes.yaml": `${HEAD} RouteGroup
routes:
  - name: pr
    when:
      source: "{{ params.github_source }}"
      events: [resource.changed]
      filter: { payload.label: "{{ params.labels }}", payload.draft: "{{ params.strict }}" }
    transforms: [{ ref: clean }]
    then:
      actor: agent
      config: { subject: "{{ module.name }}: {{payload.title}} ({{ params.mood }})" }
      delivery: { max_rate: "{{ params.max_rate }}", burst: "{{ params.burst }}", max_age: "{{ params.wait }}" }
    with: { prompt_file: "{{ params.prompt }}" }
  - { name: log, when: { source: github, events: [resource.changed] }, then: { actor: records } }
`,
  "modules/review/templates/transforms.yaml": `${HEAD} TransformGroup
transforms:
  - { name: clean, type: "@orgloop/transform-filter", config: { at: "{{ module.path }}" } }
`,
  "modules/review/templates/pr.test.yaml": "not: loaded",
  "modules/review/sops/review.md": "Review.",
};

export const MANIFEST = `${HEAD} Project
metadata: { name: acme }
sources:
  - { id: hub, connector: "@orgloop/connector-github" }
  - { id: clock, connector: "@orgloop/connector-cron" }
actors:
  - { id: agent-1, connector: "@orgloop/connector-exec" }
  - { id: records, connector: "@orgloop/connector-file" }
`;

export const withModules = (uses: string, files: Record<string, string> = {}) => ({
  ...REVIEW,
  "orgloop.yaml": `${MANIFEST}modules:\n${uses}\n`,
  ...files,
});
export const USE =
  "  - { package: ./modules/review, params: { github_source: hub, agent_actor: agent-1 } }";

export const load = (files: Record<string, string>, workspace = "default") =>
  loadProject({ path: temporaryProject(files), env, workspace });

export const lines = (problems: Awaited<ReturnType<typeof load>>["errors"]) =>
  problems.map(
    ({ file, line, column, code, message }) => `${file}:${line}:${column} ${code} | ${message}`,
  );
