import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { env, HEAD, lines } from "../../test/review-module.ts";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "../resolve/load-project.ts";

const modules = fileURLToPath(new URL("../../../../modules", import.meta.url));

const ITEMS = `${HEAD} Project
metadata: { name: acme }
sources: [{ id: hub, connector: "@orgloop/connector-webhook", config: { secret: "\${HOOK_SECRET}" } }]
actors: [{ id: bot, connector: "@orgloop/connector-exec" }]
modules:
`;

async function load(uses: string) {
  const path = temporaryProject({ "orgloop.yaml": ITEMS + uses });
  for (const name of readdirSync(modules)) {
    cpSync(join(modules, name), join(path, `node_modules/@orgloop/module-${name}`), {
      recursive: true,
    });
  }
  return await loadProject({ path, env: { ...env, HOOK_SECRET: "s" } });
}

it.each<[string, string, string[]]>([
  [
    "code-review",
    "github_source: hub, agent_actor: bot",
    ["code-review-review", "code-review-answer"],
  ],
  [
    "ci-monitor",
    "github_source: hub, alert_actor: bot, fix_actor: bot",
    ["ci-monitor-alert", "ci-monitor-fix"],
  ],
  [
    "team-standard",
    "team: web, issues_source: hub, triage_actor: bot, digest_actor: bot",
    ["team-standard-triage", "team-standard-digest"],
  ],
  [
    "compliance-audit",
    "sources: [hub], record_actor: bot, security_actor: bot",
    ["compliance-audit-record", "compliance-audit-sensitive"],
  ],
])("%s, from its package, with what it requires", async (name, params, routes) => {
  const { topology, errors, warnings, instances } = await load(
    `  - { package: "@orgloop/module-${name}", params: { ${params} } }\n`,
  );
  expect(lines(errors)).toEqual([]);
  expect(lines(warnings)).toEqual([]);
  expect(topology?.routes.map((route) => route.name)).toEqual(routes);
  expect(JSON.stringify(topology)).not.toMatch(/\{\{ ?(params|module)\./);
  expect(instances[0]?.module).toEqual({
    name,
    version: "1.0.0",
    path: `node_modules/@orgloop/module-${name}`,
  });
});

it.each<[string, string, string[]]>([
  ["code-review", "github_source: hub", ["code-review-review waits", "code-review-answer waits"]],
  ["ci-monitor", "github_source: hub, alert_actor: bot", ["ci-monitor-alert"]],
  ["team-standard", "team: web, issues_source: hub", ["team-standard-triage waits"]],
  ["compliance-audit", "sources: [hub], record_actor: bot", ["compliance-audit-record"]],
])("%s without what it can do without", async (name, params, routes) => {
  const { topology, errors } = await load(
    `  - { package: "@orgloop/module-${name}", params: { ${params} } }\n`,
  );
  expect(lines(errors)).toEqual([]);
  const found = topology?.routes.map(
    (route) => route.name + (route.then.queue_until_exists ? " waits" : ""),
  );
  expect(found).toEqual(routes);
});
