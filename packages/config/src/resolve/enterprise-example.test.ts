import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { env, lines } from "../../test/review-module.ts";
import { planTopology } from "../plan/plan-topology.ts";
import { loadProject } from "./load-project.ts";

const path = fileURLToPath(new URL("../../../../examples/enterprise", import.meta.url));
const set = { ...env, GITHUB_WEBHOOK_SECRET: "a", GITHUB_TOKEN: "b", AGENT_SECRET: "c" };

async function load(workspace: string) {
  const { topology, errors, warnings } = await loadProject({ path, env: set, workspace });
  expect(lines(errors)).toEqual([]);
  expect(lines(warnings)).toEqual([]);
  if (topology === null) throw new Error("unreachable");
  return topology;
}

it("the enterprise example loads in every workspace, and they differ by what their files say", async () => {
  const [base, staging, production] = await Promise.all(
    ["default", "staging", "production"].map(load),
  );
  if (!base || !staging || !production) throw new Error("unreachable");
  expect(base.routes.map(({ name }) => name)).toEqual([
    "frontend/release-notes",
    "ml-infra/train",
    "platform/check-infrastructure",
    "security/leaked-secret",
    "compliance-audit-record",
    "compliance-audit-sensitive",
    "frontend/standard-review",
    "frontend/standard-broken",
    "ml-infra/standard-review",
    "ml-infra/standard-broken",
    "platform/standard-review",
    "platform/standard-broken",
  ]);
  const names = (to: typeof staging) =>
    planTopology(base, to).changes.map(({ kind, name, action }) => `${action} ${kind} ${name}`);
  expect(names(staging)).toEqual([
    "change source hub",
    "change source platform/infrastructure",
    "change actor audit-log",
    "change actor ml-infra/trainer",
    "change actor on-call",
    "change actor platform/agent",
    "change actor security/responder",
    "change route frontend/standard-review",
    "remove route platform/standard-broken",
    "change route security/leaked-secret",
    "change workspace staging",
  ]);
  expect(production).toMatchObject({ bus: { url: "sqs" }, aws: { region: "eu-west-1" } });
});
