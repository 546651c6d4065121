import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** How large the generated organisation is. */
export interface EnterpriseSize {
  readonly sources: number;
  readonly actors: number;
  readonly routes: number;
  readonly teams: number;
  /**
   * `teams` (default): a folder a team, with workspaces, and a module that every team uses. `flat`:
   * as many items without any of these, as OrgLoop 0.7.9 reads them too.
   */
  readonly layout?: "teams" | "flat";
}

/** A Fortune-50 organisation: 78 files. */
export const FORTUNE_50: EnterpriseSize = {
  sources: 2_000,
  actors: 500,
  routes: 10_000,
  teams: 24,
};

const HEAD = (kind: string, name: string) =>
  `apiVersion: orgloop/v1alpha1\nkind: ${kind}\nmetadata:\n  name: ${name}\n`;

const EVENTS = ["pull_request.opened", "issues.opened", "issue_comment", "workflow_run.completed"];

const source = (team: string, at: number) => `  - id: ${team}-repo-${at}
    description: What happens in repository ${at} of ${team}.
    connector: "@orgloop/connector-github"
    config:
      repo: acme/${team}-${at}
      token: "\${GITHUB_TOKEN}"
    poll:
      interval: ${1 + (at % 9)}m
`;

const actor = (team: string, at: number) => `  - id: ${team}-agent-${at}
    description: Agent ${at} of ${team}.
    connector: "@orgloop/connector-webhook"
    config:
      url: https://agents.acme.test/${team}/${at}
      secret: "\${AGENT_SECRET}"
`;

/** One of a mixture of predicates: equality, prefix, alternatives, negation, numbers. */
function filter(at: number): string {
  const event = EVENTS[at % EVENTS.length];
  const lines = [`provenance.platform_event: ${event}`];
  if (at % 5 === 1) lines.push(`payload.label: [{ prefix: "area-${at % 40}" }]`);
  if (at % 5 === 2) lines.push(`provenance.author: [dev-${at % 300}, dev-${(at * 7) % 300}]`);
  if (at % 5 === 3) lines.push("payload.state: [{ anything-but: [draft] }]");
  if (at % 5 === 4) lines.push(`payload.size: [{ numeric: [">", ${at % 500}] }]`);
  return lines.map((line) => `        ${line}\n`).join("");
}

/** Of equality alone, as OrgLoop 0.7.9 has it. */
const plainFilter = (at: number) =>
  `        provenance.platform_event: ${EVENTS[at % EVENTS.length]}\n        payload.label: area-${at}\n`;

const route = (team: string, at: number, sources: number, actors: number, flat: boolean) =>
  `  - name: ${team}-route-${at}
    when:
      source: ${team}-repo-${at % sources}
      events: [resource.changed]
      filter:
${flat ? plainFilter(at) : filter(at)}    transforms:
      - ref: drop-bots
    then:
      actor: ${team}-agent-${at % actors}
      config:
        subject: "{{payload.title}}"
${at % 4 === 0 ? `      delivery:\n        max_rate: ${1 + (at % 60)}/s\n        retry: { max_attempts: ${3 + (at % 4)}, initial_delay: 2s }\n` : ""}`;

const times = (count: number, make: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => make(at)).join("");

/** How many of `total` fall to the part `at` of `parts`. */
const share = (total: number, parts: number, at: number) =>
  Math.floor((total * (at + 1)) / parts) - Math.floor((total * at) / parts);

const TRANSFORMS = `transforms:
  - name: drop-bots
    type: package
    package: "@orgloop/transform-filter"
    config:
      exclude: { provenance.author_type: bot }
`;

/** What every team has: reviews, by the agent that it names. One route. */
const STANDARD: Readonly<Record<string, string>> = {
  "orgloop-module.yaml": `${HEAD("Module", "team-standard")}  version: 1.0.0
parameters:
  - { name: source, type: source, required: true, description: Where the events of its repository come from. }
  - { name: agent, type: actor, required: true, description: Who reviews. }
  - { name: max_rate, type: rate, default: 20/m, description: Reviews at most. }
`,
  "templates/routes.yaml": `${HEAD("RouteGroup", "team-standard")}routes:
  - name: review
    when:
      source: "{{ params.source }}"
      events: [resource.changed]
      filter:
        provenance.platform_event: [pull_request.opened, pull_request.synchronize]
    transforms:
      - ref: drop-bots
    then:
      actor: "{{ params.agent }}"
      delivery:
        max_rate: "{{ params.max_rate }}"
    with:
      prompt_file: ../sops/review.md
`,
  "sops/review.md":
    "Review the change: first what could fail for its users, then what the next reader will not understand.\n",
};

/** A team whose first agent others may use; its reviews are done by `reviewer`'s. */
const team = (name: string, reviewer: string) =>
  `${HEAD("Team", name)}owners: ["@acme/${name}"]
exports: [${name}-agent-0]
modules:
  - package: ../../modules/team-standard
    name: standard
    params: { source: ${name}-repo-0, agent: ${reviewer}/${reviewer}-agent-0 }
`;

const workspace = (name: string, interval: string, rate: string) =>
  `${HEAD("Workspace", name)}defaults:
  poll_interval: ${interval}
modules:
  team-00/standard: { params: { max_rate: ${rate} } }
`;

/** The files of a generated organisation, by path: always the same for the same size. */
export function enterpriseFiles(size: EnterpriseSize): Record<string, string> {
  const flat = size.layout === "flat";
  const names = Array.from(
    { length: size.teams },
    (_, at) => `team-${String(at).padStart(2, "0")}`,
  );
  const files: Record<string, string> = {};
  for (const [at, name] of names.entries()) {
    const sources = share(size.sources, size.teams, at);
    const actors = share(size.actors, size.teams, at);
    const routes = share(size.routes, size.teams, at);
    const connectors = `${HEAD("ConnectorGroup", name)}sources:\n${times(sources, (n) => source(name, n))}actors:\n${times(actors, (n) => actor(name, n))}`;
    const half = Math.ceil(routes / 2);
    const group = (from: number, to: number) =>
      `${HEAD("RouteGroup", name)}routes:\n${times(to - from, (n) => route(name, from + n, sources, actors, flat))}`;
    if (flat) {
      files[`connectors/${name}.yaml`] = connectors;
      files[`routes/${name}-a.yaml`] = group(0, half);
      files[`routes/${name}-b.yaml`] = group(half, routes);
      continue;
    }
    const next = names[(at + 1) % names.length] ?? name;
    files[`teams/${name}/team.yaml`] = team(name, next);
    files[`teams/${name}/connectors.yaml`] = connectors;
    // The module brings one of them.
    files[`teams/${name}/routes.yaml`] = group(0, routes - 1);
  }
  const listed = names.map((name) => `  - connectors/${name}.yaml\n`).join("");
  const manifest = HEAD("Project", "enterprise");
  if (flat) {
    files["transforms/transforms.yaml"] = HEAD("TransformGroup", "transforms") + TRANSFORMS;
    files["orgloop.yaml"] =
      `${manifest}connectors:\n${listed}transforms:\n  - transforms/transforms.yaml\n`;
  } else {
    files["orgloop.yaml"] = `${manifest}defaults:\n  poll_interval: 5m\n${TRANSFORMS}`;
    files["workspaces/staging.yaml"] = workspace("staging", "1m", "5/m");
    files["workspaces/production.yaml"] = workspace("production", "10m", "40/m");
    for (const [file, text] of Object.entries(STANDARD)) {
      files[`modules/team-standard/${file}`] = text;
    }
  }
  return files;
}

/** Writes a generated organisation into `directory`. */
export function writeEnterprise(directory: string, size: EnterpriseSize = FORTUNE_50): void {
  for (const [file, text] of Object.entries(enterpriseFiles(size))) {
    const path = join(directory, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
