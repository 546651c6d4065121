import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { loadProject } from "@orgloop/config";
import { expect, onTestFinished, test } from "vitest";
import { quotaWarnings, webhookLimit } from "./quota-warnings.ts";

const CONNECTOR = "@orgloop/connector-webhook";

async function project(actors: number, settings: object) {
  const directory = await mkdtemp(path.join(tmpdir(), "orgloop-quotas-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const manifest = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "acme" },
    ...settings,
    actors: Array.from({ length: actors }, (_, n) => ({
      id: `actor-${n}`,
      connector: CONNECTOR,
      config: { url: "https://agent.example.test/" },
    })),
  };
  await writeFile(path.join(directory, "orgloop.yaml"), JSON.stringify(manifest, null, 2));
  return loadProject({ path: directory, env: {} });
}

test("more functions than a new account has roles for: said at the bus, with what to do", async () => {
  const [warning, concurrency, ...others] = await quotaWarnings(
    await project(1_100, { bus: "sqs" }),
  );
  expect(others).toEqual([]);
  expect(warning).toMatchObject({ file: "orgloop.yaml", line: 7, code: "aws-quota" });
  expect(warning?.message).toMatch(/needs 1106 IAM roles, an account has 1000 .*per_connector/);
  expect(concurrency?.message).toMatch(/needs 2352 Lambda concurrency, .* 1000 .*aws\.concurrency/);
});

test("functions that actors share fit; a process has no quotas", async () => {
  const aws = { deliverers: "per_connector", concurrency: 2_352 };
  expect(await quotaWarnings(await project(1_100, { bus: "sqs", aws }))).toEqual([]);
  expect(await quotaWarnings(await project(1_100, { bus: "file" }))).toEqual([]);
});

test("how many webhooks are taken is named, where any come in", async () => {
  const sources = [{ id: "hook", connector: CONNECTOR, config: {}, public: true }];
  const named = async (settings: object) => webhookLimit(await project(1, settings));
  expect(await named({ bus: "sqs", sources })).toEqual([expect.stringContaining("500 requests")]);
  const aws = { ingress: { concurrency: 300 } };
  expect(await named({ bus: "sqs", sources, aws })).toEqual([
    expect.stringContaining("3000 requests"),
  ]);
  expect(await named({ bus: "sqs" })).toEqual([]);
  expect(await named({ bus: "sqs", sources, aws: { ingress: "none" } })).toEqual([]);
  expect(await named({ bus: "file", sources })).toEqual([]);
});
