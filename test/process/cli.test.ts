import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { COMMAND, orgloop, type RunningOrgLoop, startOrgLoop } from "../run-orgloop.ts";

const PATIENCE = { timeout: 60_000 };

let root: string;
let project: string;
let env: NodeJS.ProcessEnv;
const running: RunningOrgLoop[] = [];

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "orgloop-cli-"));
  project = path.join(root, "acme");
  env = { ORGLOOP_HOME: path.join(root, "home"), ORGLOOP_PORT: "0", NO_COLOR: "1" };
  expect(await orgloop(["init", project, "--no-interactive"], env)).toMatchObject({ code: 0 });
});

afterEach(async () => {
  for (const { child, end } of running.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) await end("SIGKILL");
  }
  await orgloop(["stop", "--force", "-c", project], env);
  await rm(root, { recursive: true });
});

async function start(): Promise<RunningOrgLoop> {
  const started = await startOrgLoop(project, env);
  running.push(started);
  return started;
}

async function json(...args: string[]) {
  const { code, stdout } = await orgloop([...args, "--json", "-c", project], env);
  return { code, answer: JSON.parse(stdout) };
}

async function send(url: string, body: string): Promise<number> {
  const [, secret = ""] =
    /^INBOX_SECRET=(.*)$/m.exec(await readFile(path.join(project, ".env"), "utf8")) ?? [];
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  const headers = { "x-hub-signature-256": `sha256=${signature}` };
  return (await fetch(`${url}/webhook/inbox`, { method: "POST", headers, body })).status;
}

test("a new project validates, starts, takes a signed webhook and an injected event, and drains", async () => {
  expect(await json("validate")).toEqual({
    code: 0,
    answer: { valid: true, errors: [], warnings: [] },
  });
  const { url, child, end, lines } = await start();
  expect(lines.join("\n")).toMatch(/✓ Source inbox — hook listener started/);
  expect(lines.join("\n")).toMatch(/✓ Source clock — polling started \(every 1m\)/);
  expect(lines.join("\n")).toMatch(/✓ Actor records — ready\n✓ Actor terminal — ready/);
  expect(lines.join("\n")).toMatch(/✓ Route tell-urgent — active/);
  expect(lines).toContain(`OrgLoop is running. PID: ${child.pid}`);

  expect(await send(url, JSON.stringify({ text: "hook" }))).toBe(200);
  const events = path.join(root, "events.jsonl");
  await writeFile(events, `{"source":"inbox","payload":{"text":"injected"}}\n`);
  expect(await json("inject", events)).toMatchObject({ code: 0, answer: { injected: 1 } });

  const records = path.join(project, "out/records.jsonl");
  await expect
    .poll(() => readFile(records, "utf8").catch(() => ""), PATIENCE)
    .toMatch(/hook[\s\S]*injected/);
  expect((await orgloop(["status", "-c", project], env)).stdout).toContain("runs for");
  const { answer: status } = await json("status");
  expect(Object.keys(status)).toEqual([
    "workspace",
    "running",
    "bus",
    "uptime_ms",
    "sources",
    "routes",
    "actors",
    "unacked",
    "dead_letters",
  ]);
  expect(status).toMatchObject({
    workspace: "default",
    running: true,
    bus: "file",
    dead_letters: 0,
  });
  expect(status.sources[0]).toMatchObject({ id: "inbox", state: "active", events: 2 });
  expect(status.routes[0]).toMatchObject({ name: "on-record", circuit: "closed" });

  expect(await end("SIGTERM")).toBe(0);
  const delivered = ["--phase", "deliver.success", "--source", "inbox"];
  expect((await json("logs", "--no-follow", ...delivered)).answer).toHaveLength(2);
  expect(await json("status")).toMatchObject({ code: 3, answer: { running: false, unacked: 0 } });
});

test("a second start on the same data is refused by name, a stale record is not believed", async () => {
  const first = await start();
  const second = await json("start");
  expect(second).toMatchObject({ code: 1, answer: { error: { code: "ALREADY_RUNNING" } } });
  expect(second.answer.error.message).toContain(`process ${first.child.pid}`);
  await first.end("SIGKILL");
  // What the killed one left behind now names a process of another program.
  const record = path.join(root, "home/data/process.json");
  const left = JSON.parse(await readFile(record, "utf8"));
  await writeFile(record, JSON.stringify({ ...left, pid: process.pid }));
  expect((await json("status")).answer.running).toBe(false);
  expect((await json("stop")).answer).toMatchObject({ stopped: false });
  const third = await start();
  expect(await third.end("SIGINT")).toBe(0);
});

test("a daemon reports when it is ready, writes its files, and stops", async () => {
  const { code, answer } = await json("start", "--daemon");
  expect(code).toBe(0);
  expect(answer).toMatchObject({ running: true, project: "acme", workspace: "default" });
  const home = path.join(root, "home");
  expect(await readFile(path.join(home, "orgloop.pid"), "utf8")).toBe(`${answer.pid}\n`);
  expect(await readFile(path.join(home, "runtime.port"), "utf8")).toBe(`${answer.port}\n`);
  expect((await stat(path.join(home, "token"))).mode & 0o777).toBe(0o600);
  expect((await fetch(`http://127.0.0.1:${answer.port}/readyz`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${answer.port}/control/status`)).status).toBe(401);
  expect(await json("stop")).toMatchObject({ code: 0, answer: { stopped: true, pid: answer.pid } });
  expect((await json("status")).answer.running).toBe(false);
  await expect(stat(path.join(home, "orgloop.pid"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("a daemon that cannot start says why", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const { code, answer } = await json("start", "--daemon", "--port", String(port));
  taken.close();
  expect(code).toBe(1);
  expect(answer.error).toMatchObject({
    code: "PORT_IN_USE",
    message: expect.stringContaining("--port"),
  });
});

test("a second project on the machine gets a place of its own and says so", async () => {
  const first = await start();
  const other = path.join(root, "other");
  await orgloop(["init", other], env);
  const second = await startOrgLoop(other, env);
  running.push(second);
  const said = () => second.lines.join("\n");
  await expect.poll(said, PATIENCE).toMatch(/home\/projects\/other-[0-9a-f]{8}\/data/);
  expect(await first.end("SIGTERM")).toBe(0);
  expect(await second.end("SIGTERM")).toBe(0);
});

test("an invalid project: every problem with its place, exit status 2, nothing started", async () => {
  const routes = path.join(project, "routes/routes.yaml");
  const text = await readFile(routes, "utf8");
  await writeFile(
    routes,
    text.replace("actor: terminal", "actor: termnal").replace("filter:", "fliter:"),
  );
  const { code, answer } = await json("validate");
  expect(code).toBe(2);
  expect(answer.errors).toHaveLength(2);
  expect(answer.errors[0]).toEqual({
    file: "routes/routes.yaml",
    line: expect.any(Number),
    column: expect.any(Number),
    path: expect.any(String),
    message: expect.stringMatching(/did you mean/),
    code: expect.any(String),
  });
  const human = await orgloop(["validate", "-c", project], env);
  expect(human.stdout).toMatch(/^routes\/routes\.yaml:\d+:\d+: .*"terminal".*\[error/m);
  expect(human.stdout.trimEnd().split("\n").at(-1)).toBe("2 errors, 0 warnings ✗");
  expect(await json("start")).toMatchObject({
    code: 2,
    answer: { error: { code: "CONFIG_INVALID" } },
  });
});

test("a missing variable: a warning in validate, an error with its place in start, env tells", async () => {
  await writeFile(path.join(project, ".env"), "");
  expect(await json("validate")).toMatchObject({
    code: 0,
    answer: { warnings: [{ code: "missing-variable" }] },
  });
  const { code, answer } = await json("start");
  expect(code).toBe(2);
  expect(answer.error.message).toMatch(/INBOX_SECRET: connectors\/sources\.yaml:\d+:\d+/);
  expect(await json("env")).toMatchObject({ code: 0, answer: { missing: ["INBOX_SECRET"] } });
  expect((await json("env", "check")).code).toBe(1);
});

test("what is mistyped gets the nearest name; an error with --json is one document", async () => {
  for (const [args, message] of [
    [["statsu"], /did you mean status/i],
    [["validate", "--jso"], /did you mean --json/i],
    [["inspect", "route", "tell-urgnt"], /did you mean "tell-urgent"/],
    [["inject", "missing.json"], /nothing runs/],
    [["status", "-w", "../x"], /--workspace/],
  ] as const) {
    const { code, stdout, stderr } = await orgloop([...args, "--json", "-c", project], env);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).error.message).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
  }
});

test("inspect names the workspace's variable behind a value", async () => {
  const enterprise = path.resolve(import.meta.dirname, "../../examples/enterprise");
  const { stdout } = await orgloop(
    ["inspect", "actor", "on-call", "-w", "staging", "-c", enterprise],
    env,
  );
  expect(stdout).toMatch(
    /config\.url +"https:\/\/agents\.staging\.acme\.test\/on-call" +orgloop\.yaml:35:12 \(vars\.agents at workspaces\/staging\.yaml:10\)/,
  );
});

test("inspect says where what does not run is switched off, and shows no secret that is written out", async () => {
  const enterprise = path.resolve(import.meta.dirname, "../../examples/enterprise");
  const off = ["inspect", "route", "platform/standard-broken", "-w", "staging", "-c", enterprise];
  expect(await orgloop(off, env)).toMatchObject({
    code: 1,
    stderr:
      'error: there is no route "platform/standard-broken": it is switched off at workspaces/staging.yaml:20 (enabled: false, workspace override)\n',
  });
  const file = path.join(project, "connectors/actors.yaml");
  const text = await readFile(file, "utf8");
  const actor =
    '  - { id: far, connector: "@orgloop/connector-webhook", config: { url: "https://far.test", token: hunter2 } }\n';
  await writeFile(file, text.replace("actors:\n", `actors:\n${actor}`));
  const shown = await orgloop(["inspect", "actor", "far", "-c", project], env);
  expect(shown).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/config\.token +"\(hidden/),
  });
  const { code, answer } = await json("inspect", "actor", "far");
  await writeFile(file, text);
  expect(code).toBe(0);
  expect(shown.stdout + JSON.stringify(answer)).not.toContain("hunter2");
});

test("inspect says where each value came from; routes has one edge a source", async () => {
  const { answer } = await json("inspect", "route", "tell-urgent");
  const places = Object.fromEntries(
    answer.values.map(({ path: at, origin }: { path: string; origin: { file: string } | null }) => [
      at,
      origin?.file,
    ]),
  );
  expect(places).toMatchObject({
    "then.actor": "routes/routes.yaml",
    "delivery.timeout": "routes/routes.yaml",
    "delivery.retry.max_attempts": "orgloop.yaml",
  });
  const { answer: topology } = await json("routes");
  expect(
    topology.edges.map(({ route, source }: { route: string; source: string }) => [route, source]),
  ).toEqual([
    ["on-record", "inbox"],
    ["on-record", "clock"],
    ["tell-urgent", "inbox"],
  ]);
});

test("doctor: 0 where all is well, 2 where the project cannot start", async () => {
  const sound = await json("doctor");
  expect(
    sound.answer.checks.filter(({ status }: { status: string }) => status === "error"),
  ).toEqual([]);
  expect(sound.code).toBe(sound.answer.status === "ok" ? 0 : 1);
  await appendFile(path.join(project, "orgloop.yaml"), "\nunknown: 1\n");
  expect(await json("doctor")).toMatchObject({
    code: 2,
    answer: { project: "acme", status: "error" },
  });
});

test("a damaged log: verify names the place, start refuses it, repair asks first and mends it", async () => {
  const first = await start();
  const events = path.join(root, "events.jsonl");
  await writeFile(events, '{"source":"inbox"}\n{"source":"inbox"}\n');
  expect((await json("inject", events)).code).toBe(0);
  expect(await json("wal", "verify")).toMatchObject({
    code: 0,
    answer: { ok: true, problems: [] },
  });
  const held = await json("wal", "repair", "--yes");
  expect(held).toMatchObject({ code: 1, answer: { error: { code: "LOCKED" } } });
  expect(await first.end("SIGTERM")).toBe(0);
  expect(await json("wal", "stats")).toMatchObject({
    code: 0,
    answer: { unsettled: 0, oldest_at: null },
  });

  const wal = path.join(root, "home/data/wal");
  const [segment = ""] = (await readdir(wal)).filter((name) => name.endsWith(".jsonl")).sort();
  const text = await readFile(path.join(wal, segment), "utf8");
  await writeFile(path.join(wal, segment), text.replace('"source":"inbox"', '"source":"inbux"'));
  const damaged = await json("wal", "verify");
  expect(damaged).toMatchObject({
    code: 1,
    answer: { ok: false, problems: [{ file: segment, kind: "corrupt" }] },
  });
  expect((await json("start")).answer.error).toMatchObject({ code: "WAL_CORRUPT" });
  expect(await json("status")).toMatchObject({ code: 3, answer: { unacked: null } });
  const asked = await orgloop(["wal", "repair", "-c", project], env);
  expect(asked).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/A repair would:\n {2}keep 1 bad line/),
  });
  expect((await json("wal", "verify")).code).toBe(1);
  expect(await json("wal", "repair", "--yes")).toMatchObject({
    code: 0,
    answer: { applied: true },
  });
  expect((await json("wal", "verify")).code).toBe(0);
  const again = await start();
  expect(await again.end("SIGTERM")).toBe(0);
});

test("a second signal does not wait for what is in flight", async () => {
  await orgloop(["init", "--connectors", "exec", path.join(root, "slow")], env);
  const actors = path.join(root, "slow/connectors/exec.yaml");
  const text = await readFile(actors, "utf8");
  await writeFile(actors, text.replace("command: cat", 'command: sleep\n      args: ["60"]'));
  project = path.join(root, "slow");
  const { end, child, lines } = await start();
  const events = path.join(root, "event.json");
  await writeFile(events, '{"source":"inbox"}');
  expect((await json("inject", events)).code).toBe(0);
  const inFlight = async () => (await json("status")).answer.actors.at(-1).in_flight;
  await expect.poll(inFlight, PATIENCE).toBe(1);
  child.kill("SIGINT");
  await expect.poll(() => lines.join("\n"), PATIENCE).toMatch(/Draining/);
  expect(await end("SIGINT")).toBe(1);
});

test("a reader that goes away is no error", async () => {
  const log = path.join(root, "home/data/log");
  await mkdir(log, { recursive: true });
  const entry = { timestamp: new Date().toISOString(), phase: "source.emit", source: "inbox" };
  await writeFile(path.join(log, "events.jsonl"), `${JSON.stringify(entry)}\n`.repeat(20_000));
  const args = [COMMAND, "logs", "--no-follow", "-c", project];
  const stdio = ["ignore", "pipe", "pipe"] as const;
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: [...stdio],
  });
  child.stdout?.once("data", () => child.stdout?.destroy());
  let errors = "";
  child.stderr?.on("data", (chunk) => {
    errors += chunk;
  });
  const [code] = await once(child, "close");
  expect({ code, errors }).toEqual({ code: 0, errors: "" });
});
