import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** How large the generated organisation is. */
export interface EnterpriseSize {
  readonly sources: number;
  readonly actors: number;
  readonly routes: number;
  readonly teams: number;
  /**
   * `teams` (default): a folder a team, with workspaces. `flat`: the same items without teams and workspaces, as OrgLoop 0.7.9
   * reads them too.
   */
  readonly layout?: "teams" | "flat";
}

/** A Fortune-50 organisation: 78 files. */
export const FORTUNE_50: EnterpriseSize = {
  sources: 2_000,
  actors: 500,
  routes: 10_000,
  teams: 25,
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

const route = (team: string, at: number, sources: number, actors: number, flat: boolean) =>
  `  - name: ${team}-route-${at}
    when:
      source: ${team}-repo-${at % sources}
      events: [resource.changed]
      filter:
${flat ? `        provenance.platform_event: ${EVENTS[at % EVENTS.length]}\n` : filter(at)}    transforms:
      - ref: drop-bots
    then:
      actor: ${team}-agent-${at % actors}
      config:
        subject: "{{payload.title}}"
${at % 4 === 0 ? `      delivery:\n        max_rate: ${1 + (at % 60)}/s\n        retry: { max_attempts: ${2 + (at % 4)}, initial_delay: 2s }\n` : ""}`;

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

const workspace = (name: string, interval: string) =>
  `${HEAD("Workspace", name)}defaults:\n  poll_interval: ${interval}\n`;

/** The files of a generated organisation, by path: always the same for the same size. */
export function enterpriseFiles(size: EnterpriseSize): Record<string, string> {
  const flat = size.layout === "flat";
  const names = Array.from(
    { length: size.teams },
    (_, at) => `team-${String(at).padStart(2, "0")}`,
  );
  const files: Record<string, string> = {};
  for (const [at, team] of names.entries()) {
    const sources = share(size.sources, size.teams, at);
    const actors = share(size.actors, size.teams, at);
    const routes = share(size.routes, size.teams, at);
    const connectors = `${HEAD("ConnectorGroup", team)}sources:\n${times(sources, (n) => source(team, n))}actors:\n${times(actors, (n) => actor(team, n))}`;
    const half = Math.ceil(routes / 2);
    const group = (from: number, to: number) =>
      `${HEAD("RouteGroup", team)}routes:\n${times(to - from, (n) => route(team, from + n, sources, actors, flat))}`;
    if (flat) {
      files[`connectors/${team}.yaml`] = connectors;
      files[`routes/${team}-a.yaml`] = group(0, half);
      files[`routes/${team}-b.yaml`] = group(half, routes);
      continue;
    }
    files[`teams/${team}/team.yaml`] = `${HEAD("Team", team)}owners: ["@acme/${team}"]\n`;
    files[`teams/${team}/connectors.yaml`] = connectors;
    files[`teams/${team}/routes.yaml`] = group(0, routes);
  }
  const listed = names.map((team) => `  - connectors/${team}.yaml\n`).join("");
  const manifest = HEAD("Project", "enterprise");
  if (flat) {
    files["transforms/transforms.yaml"] = HEAD("TransformGroup", "transforms") + TRANSFORMS;
    files["orgloop.yaml"] =
      `${manifest}connectors:\n${listed}transforms:\n  - transforms/transforms.yaml\n`;
  } else {
    files["orgloop.yaml"] = `${manifest}defaults:\n  poll_interval: 5m\n${TRANSFORMS}`;
    files["workspaces/staging.yaml"] = workspace("staging", "1m");
    files["workspaces/production.yaml"] = workspace("production", "10m");
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
