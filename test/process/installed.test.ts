import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { json as jsonOf } from "node:stream/consumers";
import { type ReplayServer, replayServer } from "@orgloop/connector-github/replay";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { COMMAND, orgloop, startOrgLoop } from "../run-orgloop.ts";
import { serveTest } from "../serve-test.ts";
import { initProject } from "./init-project.ts";
import { oldestNode } from "./oldest-node.ts";

// What is installed holds all that its connectors, transforms, loggers and commands load when they
// are used, and asks nothing of Node that the oldest one lacks.

const world = initProject();
let node: string;
beforeAll(async () => {
  node = path.join((await oldestNode()).bin, "node");
});
const REPOSITORY = "Codertocat/Hello-World";

/** Every connector, transform and logger that comes with the command, in one project. */
function manifest(actorUrl: string, hub: ReplayServer): object {
  const route = (actor: string, source: string, transforms: readonly string[] = []) => ({
    name: `${source}-to-${actor}`,
    when: { source, events: ["resource.changed", "message.received"] },
    transforms: transforms.map((ref) => ({ ref })),
    then: { actor },
  });
  const connector = (name: string) => `@orgloop/connector-${name}`;
  return {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "all" },
    sources: [
      { id: "hook", connector: connector("webhook") },
      {
        id: "clock",
        connector: connector("cron"),
        config: { schedules: [{ name: "tick", cron: "every 1s" }] },
      },
      {
        id: "hub",
        connector: connector("github"),
        poll: { interval: "1s" },
        config: {
          repo: REPOSITORY,
          token: "t0ken-of-a-test",
          base_url: hub.url,
          events: ["issues.opened"],
          initial_lookback: "9999d",
        },
      },
    ],
    actors: [
      { id: "receiver", connector: connector("webhook"), config: { url: actorUrl } },
      { id: "command", connector: connector("exec"), config: { command: "./record.sh" } },
      { id: "file", connector: connector("file"), config: { path: "./out.jsonl" } },
      { id: "console", connector: connector("console") },
      { id: "aws", connector: connector("eventbridge"), config: { region: "eu-west-1" } },
    ],
    transforms: [
      {
        name: "jq",
        type: "package",
        package: "@orgloop/transform-filter",
        config: { jq: ".payload.n > 0" },
      },
      {
        name: "pattern",
        type: "package",
        package: "@orgloop/transform-filter",
        config: { match: { "payload.name": "/^al/" } },
      },
      {
        name: "once",
        type: "package",
        package: "@orgloop/transform-dedup",
        config: { key: ["payload.n"], window: "1m" },
      },
      {
        name: "mark",
        type: "package",
        package: "@orgloop/transform-enrich",
        config: { set: { "payload.marked": true } },
      },
      { name: "shell", type: "script", script: "./pass.sh" },
    ],
    routes: [
      route("receiver", "hook", ["jq", "pattern", "once", "mark", "shell"]),
      ...["command", "file", "console", "aws"].map((actor) => route(actor, "hook")),
      route("file", "clock"),
      route("file", "hub"),
    ],
    loggers: [
      { name: "terminal", type: "@orgloop/logger-console", config: { level: "debug" } },
      {
        name: "kept",
        type: "@orgloop/logger-file",
        config: { path: "./log.jsonl", buffer: { size: 1 } },
      },
    ],
  };
}

test("every connector, transform and logger runs from the installed command on the oldest Node", async () => {
  const got: { url: string | undefined; target: unknown; body: Record<string, unknown> }[] = [];
  const receiver = createServer(async (request, response) => {
    const body = (await jsonOf(request)) as Record<string, unknown>;
    got.push({ url: request.url, target: request.headers["x-amz-target"], body });
    response.end(JSON.stringify({ FailedEntryCount: 0, Entries: [{ EventId: "1" }] }));
  });
  const url = `http://127.0.0.1:${await serveTest(receiver)}`;
  const hub = await replayServer();
  onTestFinished(() => hub.close());
  const project = path.join(world.root, "all");
  await mkdir(project);
  const inProject = (file: string) => path.join(project, file);
  await writeFile(inProject("orgloop.yaml"), JSON.stringify(manifest(`${url}/actor`, hub)));
  await writeFile(inProject("record.sh"), '#!/bin/sh\ncat > "$(dirname "$0")/command.json"\n');
  await writeFile(inProject("pass.sh"), "#!/bin/sh\ncat\n");
  for (const script of ["record.sh", "pass.sh"]) await chmod(inProject(script), 0o755);
  const env = {
    ORGLOOP_HOME: path.join(world.root, "home-of-all"),
    AWS_ENDPOINT_URL: `${url}/aws`,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
  };
  const running = await startOrgLoop(project, env, [], [node, COMMAND]);
  onTestFinished(async () => {
    if (running.child.exitCode === null) await running.end("SIGKILL");
  });
  const said = (): string => running.lines.join("\n");

  // All but the first and the last: dropped by dedup, by jq, by a pattern.
  const payloads = [
    { n: 1, name: "alpha" },
    { n: 1, name: "alpha", again: true },
    { n: -1, name: "alpha" },
    { n: 2, name: "beta" },
    { n: 3, name: "alpha" },
  ];
  for (const payload of payloads) {
    const body = JSON.stringify(payload);
    const answer = await fetch(`${running.url}/webhook/hook`, { method: "POST", body });
    expect(answer.status, said()).toBe(200);
  }

  const file = (name: string) => readFile(inProject(name), "utf8").catch(() => "");
  await vi.waitFor(async () => {
    const received = got.filter(({ url }) => url === "/actor").map(({ body }) => body);
    expect(received, said()).toMatchObject([
      { event: { payload: { n: 1, marked: true } } },
      { event: { payload: { n: 3, marked: true } } },
    ]);
    const event = got.find(({ target }) => target === "AWSEvents.PutEvents");
    expect(JSON.stringify(event?.body)).toContain("alpha");
    expect(await file("command.json")).toContain("alpha");
    const out = await file("out.jsonl");
    for (const source of ["hook", "clock", "hub"]) expect(out).toContain(`"source":"${source}"`);
    expect(await file("log.jsonl")).toContain("deliver.success");
    expect(said()).toMatch(/deliver\.success .*tgt=console/);
  }, 60_000);
  expect(await running.end("SIGTERM"), said()).toBe(0);
});

/**
 * Each command in a form that ends by itself: in a project that does not run, exit 0 unless it says
 * otherwise.
 */
const COMMANDS: Readonly<Record<string, { args?: readonly string[]; code?: number }>> = {
  init: { args: ["init", "other"] },
  validate: {},
  plan: {},
  apply: { code: 1 },
  start: { args: ["start", "--role", "nobody"], code: 1 },
  stop: {},
  shutdown: {},
  status: { code: 3 },
  logs: { args: ["logs", "--no-follow"] },
  routes: {},
  inspect: { args: ["inspect", "source", "nobody"], code: 1 },
  inject: { args: ["inject", "nothing.json"], code: 1 },
  test: {},
  env: {},
  cost: { code: 1 },
  doctor: {},
  replay: { args: ["replay", "--since", "1h", "--dry-run"], code: 1 },
  explain: { args: ["explain", "nobody"], code: 1 },
  "connectors list": {},
  "connectors show": { args: ["connectors", "show", "github"] },
  deploy: { args: ["deploy", "-w", "nobody"], code: 2 },
  diff: { args: ["diff", "-w", "nobody"], code: 2 },
  remove: { args: ["remove", "-w", "nobody"], code: 2 },
  "secrets list": { args: ["secrets", "list", "-w", "nobody"], code: 1 },
  "secrets set": { args: ["secrets", "set", "NAME", "-w", "nobody"], code: 1 },
  "workspace list": {},
  "workspace select": { args: ["workspace", "select", "default"] },
  "workspace new": { args: ["workspace", "new", "staging"] },
  "workspace delete": { args: ["workspace", "delete", "nobody"], code: 1 },
  "workspace show": {},
  "module list": {},
  "module show": { args: ["module", "show", "nobody"], code: 1 },
  "module add": { args: ["module", "add", "./nowhere"], code: 1 },
  "dead-letters list": {},
  "dead-letters show": { args: ["dead-letters", "show", "nobody"], code: 1 },
  "dead-letters replay": { args: ["dead-letters", "replay", "nobody"], code: 1 },
  "dead-letters purge": { args: ["dead-letters", "purge", "nobody"] },
  "inbox drain": { args: ["inbox", "drain", "--key", "nobody"], code: 1 },
  "inbox status": { code: 1 },
  "add connector": { args: ["add", "connector", "billing"] },
  "add transform": { args: ["add", "transform", "tidy"] },
  "add logger": { args: ["add", "logger", "audit"] },
  "add route": { args: ["add", "route", "../out"], code: 1 },
  "hook claude-code-stop": { args: ["hook", "claude-code-stop", "--port", "1"], code: 1 },
  "install-service": { args: ["install-service", "--manager", "nobody"], code: 1 },
  "service status": { code: 1 },
  "service logs": { code: 1 },
  "service start": { code: 1 },
  "service stop": { code: 1 },
  "wal verify": { code: 1 },
  "wal repair": { code: 1 },
  "wal stats": { code: 1 },
  completion: { args: ["completion", "bash"] },
  version: {},
};

test("every command runs from the installed command on the oldest Node", async () => {
  expect(Object.keys(COMMANDS).sort()).toEqual((await listedCommands()).sort());
  const unlike: unknown[] = [];
  for (const [name, { args = name.split(" "), code = 0 }] of Object.entries(COMMANDS)) {
    const { code: got, stderr } = await orgloop(
      args,
      {
        ORGLOOP_HOME: path.join(world.root, "home"),
        HOME: world.root,
        XDG_RUNTIME_DIR: world.root,
      },
      world.project,
      node,
    );
    if (got !== code || /cannot find (module|package)/i.test(stderr))
      unlike.push([name, got, stderr]);
  }
  expect(unlike).toEqual([]);
}, 120_000);

/** `wal verify` and the like, as `--help` lists them. */
async function listedCommands(group: readonly string[] = []): Promise<string[]> {
  const { stdout } = await orgloop([...group, "--help"], {});
  const listed = stdout.split("Commands:\n")[1] ?? "";
  const names = [...listed.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name as string);
  const found = names
    .filter((name) => name !== "help")
    .map(async (name): Promise<string[]> => {
      const path = [...group, name];
      const below = group.length === 0 ? await listedCommands(path) : [];
      return below.length > 0 ? below : [path.join(" ")];
    });
  return (await Promise.all(found)).flat();
}
