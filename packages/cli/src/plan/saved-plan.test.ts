import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { loadProject, planTopology } from "@orgloop/config";
import { expect, onTestFinished, test } from "vitest";
import { readSavedPlan, savePlan } from "./saved-plan.ts";
import { NOTHING_APPLIED } from "./surveyed-plan.ts";

async function saved(config = "{}") {
  const root = mkdtempSync(path.join(tmpdir(), "orgloop-saved-plan-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  writeFileSync(
    path.join(root, "orgloop.yaml"),
    "apiVersion: orgloop/v1alpha1\nkind: Project\nmetadata: { name: acme }\nsources: [{ id: z, connector: x }, { id: a, connector: x, config: CONFIG }]\n".replace(
      "CONFIG",
      config,
    ),
  );
  const project = await loadProject({ path: root, env: { ORGLOOP_HOME: path.join(root, "home") } });
  const { topology } = project;
  if (topology === null) throw new Error("unreachable");
  const file = path.join(root, "plan.json");
  writeFileSync(file, "old", { mode: 0o644 });
  await savePlan(file, {
    project,
    workspace: "default",
    dataDir: root,
    applied: null,
    plan: planTopology(null, topology),
    desired: topology,
    sealed: topology,
    state: NOTHING_APPLIED,
    running: null,
    drift: null,
    losses: [],
  });
  return { file, topology };
}

test("a saved plan is read as it was written, is its owner's alone, and keeps the order of the files", async () => {
  const { file, topology } = await saved();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const plan = await readSavedPlan(file);
  expect(plan).toMatchObject({ project: "acme", workspace: "default", state: NOTHING_APPLIED });
  expect(plan.topology).toEqual(topology);
  expect(plan.topology.sources.map(({ id }) => id)).toEqual(["z", "a"]);
  expect(plan.plan.summary).toEqual({ add: 2, change: 0, remove: 0 });
});

test("a file that is not there, or holds no JSON, is said in one line", async () => {
  const { file } = await saved();
  await expect(readSavedPlan(`${file}.gone`)).rejects.toThrow(
    `there is no ${file}.gone: \`orgloop plan --out FILE\` writes one`,
  );
  writeFileSync(file, "no\njson\n");
  await expect(readSavedPlan(file)).rejects.toThrow(
    `${file} is no saved plan: it is not JSON; make a new one`,
  );
});

test.each<[string, (text: string) => string]>([
  ["was edited", (text) => text.replace('"id":"z"', '"id":"y"')],
  ["has another version", (text) => text.replace('"1.0"', '"2.0"')],
  ["is cut", (text) => text.slice(0, 100)],
  ["is something else", () => "{}"],
  ["has no topology", (text) => text.replace('"topology":', '"else":')],
])("a file that %s is refused", async (_what, change) => {
  const { file } = await saved();
  writeFileSync(file, change(readFileSync(file, "utf8")));
  await expect(readSavedPlan(file)).rejects.toMatchObject({ code: "BAD_PLAN" });
});

test("a plan with a secret that is written out is not saved, and what was there stays", async () => {
  const error = await saved("{ secret: written-out }").catch((it) => it);
  expect(error).toMatchObject({ code: "SECRET_WRITTEN_OUT" });
});
