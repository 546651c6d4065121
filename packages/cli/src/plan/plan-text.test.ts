import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type LoadedProject, loadProject, NOWHERE, planTopology } from "@orgloop/config";
import type { Topology } from "@orgloop/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Loss } from "./losses.ts";
import { briefLimits, planLines, WHOLE } from "./plan-text.ts";

const ENTERPRISE = path.resolve(import.meta.dirname, "../../../../examples/enterprise");
let root: string;

beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), "orgloop-plan-text-"));
});
afterAll(() => rmSync(root, { recursive: true }));

const plain = (_style: unknown, text: string) => text;

function copy(): string {
  const project = mkdtempSync(path.join(root, "p-"));
  const filter = (file: string) => !file.includes("node_modules");
  cpSync(ENTERPRISE, project, { recursive: true, filter });
  return project;
}

function edit(project: string, file: string, from: string, to: string): void {
  const text = readFileSync(path.join(project, file), "utf8");
  expect(text).toContain(from);
  writeFileSync(path.join(project, file), text.replaceAll(from, to));
}

async function load(project: string, workspace = "default") {
  const env = { ORGLOOP_HOME: path.join(root, "home") };
  const loaded = await loadProject({ path: project, env, workspace });
  expect(loaded.errors).toEqual([]);
  return loaded as LoadedProject & { readonly topology: Topology };
}

/** The lines of the plan of an edit of the example. */
async function planned(
  change: (project: string) => void,
  { workspace = "default", losses = [] as Loss[] } = {},
) {
  const project = copy();
  const before = await load(project, workspace);
  change(project);
  const after = await load(project, workspace);
  const plan = planTopology(before.topology, after.topology);
  return planLines(plan, { project: after, losses, limits: briefLimits(plan), style: plain });
}

test("a change names its team, its module, from, to, and the parameter that made it", async () => {
  const lines = await planned((project) =>
    edit(project, "teams/frontend/team.yaml", "max_rate: 40/m", "max_rate: 41/m"),
  );
  expect(lines).toEqual([
    "",
    "team frontend, module frontend/standard (team-standard, teams/frontend/team.yaml:10)",
    "  ~ route frontend/standard-review",
    '      delivery.max_rate: "40/m" → "41/m"  teams/frontend/team.yaml:12 (parameter max_rate)',
  ]);
});

test("a workspace's override is told as one, of a parameter and of a variable as well", async () => {
  const lines = await planned(
    (project) => {
      edit(project, "workspaces/staging.yaml", "max_rate: 5/m", "max_rate: 6/m");
      edit(project, "workspaces/staging.yaml", "interval: 1m", "interval: 2m");
      edit(project, "workspaces/staging.yaml", "agents.staging.", "agents.test.");
    },
    { workspace: "staging" },
  );
  expect(lines).toContain(
    '      delivery.max_rate: "5/m" → "6/m"  workspaces/staging.yaml:24 (parameter max_rate, workspace override)',
  );
  expect(lines).toContain(
    '      poll.interval: "1m" → "2m"  workspaces/staging.yaml:17 (workspace override)',
  );
  expect(lines).toContain(
    '      config.url: "https://agents.staging.acme.test/platform" → "https://agents.test.acme.test/platform"  teams/platform/connectors.yaml:21 (vars.agents at workspaces/staging.yaml:10)',
  );
});

test("a default, and one that is not written any more", async () => {
  const lines = await planned((project) => {
    edit(project, "orgloop.yaml", "max_attempts: 5, ", "");
  });
  expect(lines).toContain("      delivery.retry.max_attempts: 5 → 3  built-in default");
});

test("a prompt's contents are told by lines, at the prompt's file", async () => {
  const lines = await planned((project) =>
    appendFileSync(path.join(project, "teams/security/leaked-secret.md"), "Tell the owner.\n"),
  );
  expect(lines.slice(1)).toEqual([
    "team security",
    "  ~ route security/leaked-secret",
    "      with.prompt.text: 1 line added  teams/security/leaked-secret.md",
    "        + Tell the owner.",
  ]);
});

test("what comes and goes stands with its place; what is switched off says where", async () => {
  const lines = await planned((project) => {
    edit(project, "teams/frontend/routes.yaml", "name: release-notes", "name: notes");
    edit(
      project,
      "teams/platform/routes.yaml",
      "  - name: check-infrastructure",
      "  - name: check-infrastructure\n    enabled: false",
    );
  });
  expect(lines.slice(1)).toEqual([
    "team frontend",
    "  + route frontend/notes  (hub → platform/agent)  teams/frontend/routes.yaml:7",
    "  - route frontend/release-notes",
    "",
    "team platform",
    "  - route platform/check-infrastructure  teams/platform/routes.yaml:8 (enabled: false)",
  ]);
});

test("a destructive change is marked with what is lost", async () => {
  const losses: Loss[] = [
    { kind: "route", name: "frontend/release-notes", checkpoint: false, queued: 3 },
  ];
  const lines = await planned(
    (project) => edit(project, "teams/frontend/routes.yaml", "name: release-notes", "name: notes"),
    { losses },
  );
  expect(lines).toContain("  - route frontend/release-notes  ! 3 events queued");
});

test("what changes alike in many items is told once; what is too much is counted", () => {
  const routes = Array.from({ length: 10_000 }, (_, at) => ({ name: `t${at % 100}/r${at}` }));
  const topology = (timeout: string, extra: readonly object[]) =>
    ({
      project: "acme",
      workspace: "default",
      bus: { url: "file" },
      defaults: { poll_interval: "5m" },
      sources: [],
      actors: extra,
      routes: routes.map((route, at) => ({ ...route, delivery: { timeout, burst: at % 2 } })),
      transforms: [],
      loggers: [],
    }) as unknown as Topology;
  const agents = Array.from({ length: 40 }, (_, at) => ({ id: `a${at}`, connector: "c" }));
  const plan = planTopology(topology("1s", []), topology("2s", agents));
  expect(plan.summary).toBe("40 actors added, 10000 routes changed");
  const project = {
    provenance: NOWHERE,
    instances: [],
    topology: null,
  };
  const brief = planLines(plan, { project, losses: [], limits: briefLimits(plan), style: plain });
  expect(brief).toContain("  + 40 actors: a0, a1, a10 and 37 more");
  expect(brief).toContain("  ~ 100 routes: t0/r0, t0/r100, t0/r1000 and 97 more");
  expect(brief.at(-1)).toMatch(
    /^… and 6,\d00 changes in \d\d further teams and modules; --verbose/,
  );
  expect(brief.length).toBeLessThan(200);
  const whole = planLines(plan, { project, losses: [], limits: WHOLE, style: plain });
  expect(whole.filter((line) => line.startsWith("team "))).toHaveLength(100);
});
