import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { COST_ASSUMPTIONS } from "@orgloop/aws/plan";
import { afterAll, expect, test } from "vitest";
import { orgloop } from "../run-orgloop.ts";

const ACME = path.resolve(import.meta.dirname, "../../examples/acme");
const home = await mkdtemp(path.join(tmpdir(), "orgloop-cost-"));
afterAll(() => rm(home, { recursive: true, force: true }));

const cost = (...args: string[]) =>
  orgloop(["cost", "--config", ACME, "--workspace", "production", ...args], { ORGLOOP_HOME: home });

test("cost tells a month, what stands idle, a million events, and what it assumes", async () => {
  const { stdout, code } = await cost("--json");
  expect(code).toBe(0);
  const answer = JSON.parse(stdout);
  expect(answer).toMatchObject({
    workspace: "production",
    currency: "USD",
    assumptions: COST_ASSUMPTIONS,
    prices: { read: { region: expect.any(String), date: expect.stringMatching(/^\d{4}-/) } },
  });
  expect(answer.monthly_usd).toBeGreaterThan(answer.idle_usd);
  const sum = answer.lines.reduce((total: number, { usd }: { usd: number }) => total + usd, 0);
  expect(sum).toBeCloseTo(answer.monthly_usd, 6);
});

test("what is assumed can be changed, and a wrong name is told", async () => {
  const more = await cost("--assume", "events_per_source_per_day=5000", "event_kb=64");
  expect(more.stdout).toMatch(
    /^Workspace "production": about \$\d+\.\d\d a month for 456,563 events/,
  );
  expect(more.stdout).toContain("event_kb=64");
  const wrong = await cost("--assume", "event_kbs=3");
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain('did you mean "event_kb"?');
});

test("a workspace that is not on AWS costs nothing there", async () => {
  const { code, stderr } = await orgloop(["cost", "--config", ACME], { ORGLOOP_HOME: home });
  expect(code).toBe(1);
  expect(stderr).toContain('workspace "default" is not on AWS');
});
