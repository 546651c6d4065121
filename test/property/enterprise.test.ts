import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadProject, topologyHash } from "@orgloop/config";
import { enterpriseFiles, FORTUNE_50, writeEnterprise } from "@orgloop/testkit";
import { afterEach, expect, it } from "vitest";

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true });
});

async function load(size: typeof FORTUNE_50, workspace = "default") {
  const directory = mkdtempSync(join(tmpdir(), "orgloop-enterprise-"));
  made.push(directory);
  const path = join(directory, "project");
  writeEnterprise(path, size);
  const env = { ORGLOOP_HOME: join(directory, "home"), GITHUB_TOKEN: "t", AGENT_SECRET: "s" };
  const first = await loadProject({ path, env, workspace });
  const second = await loadProject({ path, env, workspace });
  expect([...first.errors, ...first.warnings]).toEqual([]);
  if (first.topology === null || second.topology === null) throw new Error("unreachable");
  expect(topologyHash(second.topology)).toBe(topologyHash(first.topology));
  return first.topology;
}

it("the generated organisation has the size of a Fortune-50 one, in 78 files", async () => {
  expect(Object.keys(enterpriseFiles(FORTUNE_50))).toHaveLength(78);
  const { sources, actors, routes } = await load(FORTUNE_50, "staging");
  expect([sources.length, actors.length, routes.length]).toEqual([2_000, 500, 10_000]);
  const reviews = routes.filter(({ name }) => name.endsWith("/standard-review"));
  expect(reviews).toHaveLength(FORTUNE_50.teams);
  expect(reviews[0]).toMatchObject({
    then: { actor: "team-01/team-01-agent-0" },
    delivery: { max_rate: "5/m" },
    with: { prompt_file: "modules/team-standard/sops/review.md" },
  });
});

it("it is as large without teams", async () => {
  const { sources, actors, routes } = await load({ ...FORTUNE_50, layout: "flat" });
  expect([sources.length, actors.length, routes.length]).toEqual([2_000, 500, 10_000]);
});
