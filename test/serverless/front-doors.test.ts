import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { awsNames } from "@orgloop/aws/plan";
import { afterAll, expect, inject, type ProvidedContext, test } from "vitest";
import { clientConfig } from "../emulators/client-config.ts";
import { orgloop } from "../run-orgloop.ts";
import {
  deployProject,
  eventually,
  HUB_SECRET,
  sendWebhook,
  startAgents,
} from "./deploy-project.ts";
import { linkedCheckout, SST } from "./deploy-stage.ts";
import { runToEnd } from "./run-to-end.ts";

const STAGE = "doors";
const { endpoint, env } = inject("aws");
const aws: ProvidedContext["aws"] = {
  endpoint,
  env: { ...env, AWS_ACCESS_KEY_ID: "444444444444" },
};
const names = awsNames(STAGE);
const ssm = new SSMClient(clientConfig(aws));

const agents = await startAgents();
const project = await deployProject(agents.url);
await project.write(["reviewer"], [STAGE]);
const checkout = await linkedCheckout();

afterAll(async () => {
  for (const one of [project, agents]) await one[Symbol.asyncDispose]();
  await rm(checkout, { recursive: true, force: true });
  ssm.destroy();
});

/** Nothing of this machine's, and telemetry as it is by default. */
const bare = {
  HOME: checkout,
  TMPDIR: tmpdir(),
  ORGLOOP_HOME: path.join(checkout, ".orgloop"),
  ORGLOOP_PROJECT: project.directory,
  AWS_EC2_METADATA_DISABLED: "true",
  CI: "1",
  NO_COLOR: "1",
};
const there = { ...bare, ...aws.env };
const without = (...keys: readonly string[]) =>
  Object.fromEntries(Object.entries(there).filter(([key]) => !keys.includes(key)));
const sst = (args: readonly string[], environment: NodeJS.ProcessEnv) =>
  runToEnd([SST, ...args], { cwd: checkout, env: environment });

const KEYS = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] as const;
const TROUBLES: readonly (readonly [string, NodeJS.ProcessEnv, readonly string[], RegExp])[] = [
  ["no credentials", without(...KEYS), [], /no AWS credentials for the workspace "doors"/],
  [
    "a profile that is not there",
    { ...without(...KEYS), AWS_PROFILE: "nobody" },
    [],
    /no AWS credentials for the workspace "doors"/,
  ],
  [
    "an endpoint that nobody answers at",
    { ...there, AWS_ENDPOINT_URL: "http://127.0.0.1:9" },
    [],
    /127\.0\.0\.1:9 cannot be reached/,
  ],
  ["a stage that is no workspace", there, ["--stage", "dors"], /no workspace "dors".*doors/],
  [
    "a project that is not there",
    { ...there, ORGLOOP_PROJECT: path.join(checkout, "nowhere") },
    [],
    /nowhere is not there: ORGLOOP_PROJECT/,
  ],
];

test.each(
  TROUBLES.flatMap(([name, environment, args, says]) =>
    ["deploy", "diff"].map((command) => ({ name, command, environment, args, says })),
  ),
)("sst $command with $name says so and fails", async ({ command, environment, args, says }) => {
  const stage = args.length > 0 ? args : ["--stage", STAGE];
  const { status, text } = await sst([command, ...stage], environment);
  expect(text).toMatch(says);
  expect(status).toBe(1);
});

test("sst secrets set without credentials says so and fails", async () => {
  const { status, text } = await sst(
    ["secrets", "set", "HUB_SECRET", "x", "--stage", STAGE],
    without(...KEYS),
  );
  expect(text).toMatch(/no AWS credentials/);
  expect(status).toBe(1);
});

/** The command, in the checkout, on the project. */
const command = (args: readonly string[], environment: NodeJS.ProcessEnv = there) => {
  const all = { ...environment };
  for (const key of [...KEYS, "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION"]) all[key] ??= "";
  return orgloop([...args, "-c", project.directory, "-w", STAGE], all, checkout);
};

test("orgloop deploy refuses where a secret is not set, and names it with its place", async () => {
  const { code, stderr } = await command(["deploy"]);
  expect(stderr).toMatch(
    /a secret is not set.*orgloop secrets set.*HUB_SECRET: orgloop\.yaml:1:\d+/s,
  );
  expect(code).toBe(1);
  const listed = await command(["secrets", "list", "--json"]);
  expect(JSON.parse(listed.stdout).secrets).toMatchObject([{ name: "HUB_SECRET", set: false }]);
});

test("orgloop secrets set writes what functions read, and list tells that it is there", async () => {
  const set = await command(["secrets", "set", "HUB_SECRET", HUB_SECRET]);
  expect([set.code, set.stderr]).toEqual([0, ""]);
  const Name = `/sst/orgloop/${STAGE}/Secret/HUB_SECRET/value`;
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }));
  expect([Parameter?.Value, Parameter?.Type]).toEqual([HUB_SECRET, "SecureString"]);
  const listed = await command(["secrets", "list", "--json"]);
  expect(JSON.parse(listed.stdout).secrets).toMatchObject([{ name: "HUB_SECRET", set: true }]);
  expect(listed.stdout).not.toContain(HUB_SECRET);
});

const held = async () => {
  try {
    const found = await ssm.send(new GetParameterCommand({ Name: names.lockParameter }));
    return JSON.parse(found.Parameter?.Value ?? "null");
  } catch (error) {
    if (error instanceof Error && error.name === "ParameterNotFound") return null;
    throw error;
  }
};

const lockOf = (untilMs: number) =>
  ssm.send(
    new PutParameterCommand({
      Name: names.lockParameter,
      Type: "String",
      Overwrite: true,
      Value: JSON.stringify({
        ...{ id: "other", owner: "ann on build-7", since: new Date(0).toISOString() },
        until: new Date(untilMs).toISOString(),
      }),
    }),
  );

test("a stage that somebody else is changing is left alone, by both doors, and says whose it is", async () => {
  await lockOf(Date.now() + 3_600_000);
  const plain = await sst(["deploy", "--stage", STAGE], there);
  expect(plain.text).toMatch(/being changed by ann on build-7 .*--force-unlock/);
  expect(plain.status).toBe(1);
  const { code, stderr } = await command(["deploy"]);
  expect(stderr).toMatch(/deploy of "doors" was not done: .*ann on build-7/);
  expect(code).toBe(1);
  expect((await held()).id).toBe("other");
});

test("orgloop deploy --force-unlock deploys, gives the lock back, and events flow", async () => {
  const { code, stdout, stderr } = await command(["deploy", "--force-unlock", "--json"]);
  expect([code, stderr]).toEqual([0, expect.stringContaining("Deployed:")]);
  const { outputs, ...rest } = JSON.parse(stdout);
  expect(rest).toMatchObject({ deployed: true, workspace: STAGE, account: "444444444444" });
  expect(await held()).toBe(null);
  expect(await sendWebhook(aws.endpoint, outputs.WebhookUrl, 1)).toBe(200);
  await eventually(() => agents.got("reviewer").includes(1));
});

test("orgloop diff says it in the organisation's words, and beside them in CloudFormation's", async () => {
  await project.write(["reviewer", "triage"], [STAGE]);
  const { code, stdout } = await command(["diff", "--json"]);
  expect(code).toBe(0);
  const { plan, cloudformation } = JSON.parse(stdout);
  expect(plan.summary).toMatchObject({ add: 2 });
  expect(cloudformation.join("\n")).toMatch(/routing: 1 change/);
  expect(await held()).toBe(null);
});

test("a workspace whose stage is deployed is not forgotten unasked", async () => {
  const { code, stderr } = await orgloop(
    ["workspace", "delete", STAGE, "-c", project.directory],
    there,
    checkout,
  );
  expect(stderr).toMatch(/"doors" is deployed in 444444444444.*orgloop remove -w doors.*--force/);
  expect(code).toBe(1);
});

test("without credentials: what is wanted is told, a plan shows all as new, the cost is estimated", async () => {
  const away = without(...KEYS);
  const wanted = await command(["env", "--json"], away);
  expect([wanted.code, JSON.parse(wanted.stdout).variables]).toMatchObject([
    0,
    [{ name: "HUB_SECRET", set: null }],
  ]);
  const plan = await command(["plan", "--json"], away);
  expect([plan.code, JSON.parse(plan.stdout).summary.add]).toEqual([0, 5]);
  expect(plan.stderr).toMatch(/what is deployed is not known/);
  expect((await command(["cost"], away)).code).toBe(0);
  const validated = await command(["validate", "--json"], away);
  const codes = JSON.parse(validated.stdout).warnings.map(({ code }: { code: string }) => code);
  expect(codes).not.toContain("missing-variable");
});

test("an old lock holds nobody up: orgloop remove takes the stage down", async () => {
  await lockOf(Date.now() - 1000);
  const { code, stdout, stderr } = await command(["remove", "--yes", "--json"]);
  expect([code, stderr]).toEqual([0, expect.stringContaining("Removed")]);
  expect(JSON.parse(stdout)).toMatchObject({ removed: true, workspace: STAGE });
  expect(await held()).toBe(null);
  const { code: gone, stderr: said } = await command(["status"]);
  expect([gone, said]).toEqual([1, expect.stringContaining("is not deployed")]);
});
