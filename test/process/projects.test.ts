import { mkdir, mkdtemp, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { orgloop } from "../run-orgloop.ts";

const PATIENCE = { timeout: 20_000 };

interface Started {
  readonly pid: number;
  readonly port: number;
  readonly project: string;
}

/** Projects of one home, each with a webhook source and a file that it writes to. */
async function workshop() {
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-projects-"));
  const home = path.join(root, "home");
  // Any free port for a daemon; not as --port, which would ask for a process of its own.
  const env = { ORGLOOP_HOME: home, ORGLOOP_PORT: "0" };
  const dirOf = (name: string) => path.join(root, name);
  const run = (name: string, ...args: string[]) => orgloop([...args, "--config", dirOf(name)], env);
  onTestFinished(async () => {
    await orgloop(["stop", "--all", "--force"], env);
    await rm(root, { recursive: true, force: true });
  });
  return {
    home,
    env,
    dirOf,
    run,
    async make(name: string, source = `${name}-hook`, change: object = {}) {
      await mkdir(dirOf(name), { recursive: true });
      const manifest = {
        apiVersion: "orgloop/v1alpha1",
        kind: "Project",
        metadata: { name },
        sources: [{ id: source, connector: "@orgloop/connector-webhook", config: {} }],
        actors: [
          { id: "out", connector: "@orgloop/connector-file", config: { path: "out.jsonl" } },
        ],
        routes: [
          {
            name: "all",
            when: { source, events: ["resource.changed"] },
            then: { actor: "out" },
          },
        ],
        ...change,
      };
      await writeFile(path.join(dirOf(name), "orgloop.yaml"), JSON.stringify(manifest));
    },
    async json<T = Started>(name: string, ...args: string[]) {
      const { code, stdout } = await run(name, ...args, "--json");
      return { code, answer: JSON.parse(stdout) as T };
    },
    async delivered(name: string): Promise<number[]> {
      const text = await readFile(path.join(dirOf(name), "out.jsonl"), "utf8").catch(() => "");
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line).payload.n);
    },
    async registered(): Promise<string[]> {
      const { modules } = JSON.parse(await readFile(path.join(home, "modules.json"), "utf8"));
      return modules.map(({ name }: { name: string }) => name);
    },
    post: (port: number, source: string, n: number) =>
      fetch(`http://127.0.0.1:${port}/webhook/${source}`, {
        method: "POST",
        body: JSON.stringify({ n }),
      }).then(({ status }) => status),
  };
}

type Failure = { readonly error: { readonly code: string; readonly message: string } };
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

test("another project is registered with the daemon; one is unloaded while the other's events flow", async () => {
  const { make, json, run, delivered, registered, post, home } = await workshop();
  await make("one");
  await make("two");
  const { answer: one } = await json("one", "start", "--daemon");
  const second = await json("two", "start");
  expect(second).toMatchObject({ code: 0, answer: { project: "two", pid: one.pid } });
  const { port } = one;
  const heartbeat = JSON.parse(await readFile(path.join(home, "heartbeat"), "utf8"));
  expect(heartbeat).toMatchObject({ pid: one.pid, modules: 1 });
  expect(second.answer.port).toBe(port);
  expect(await registered()).toEqual(["one", "two"]);

  // Both are reached, each by its own source; each command by its own project.
  expect(await Promise.all([post(port, "one-hook", 0), post(port, "two-hook", 0)])).toEqual([
    200, 200,
  ]);
  expect(await post(port, "three-hook", 0)).toBe(404);
  for (const name of ["one", "two"]) {
    await expect.poll(() => delivered(name), PATIENCE).toEqual([0]);
    const status = await json<{ sources: object[] }>(name, "status");
    expect(status.answer.sources).toMatchObject([{ id: `${name}-hook`, events: 1 }]);
  }
  const read = async <T>(what: string) =>
    (await (await fetch(`http://127.0.0.1:${port}${what}`)).json()) as T;
  expect(await read("/api/status")).toMatchObject({
    modules: [
      { name: "one", state: "active" },
      { name: "two", state: "active" },
    ],
    sources: [
      { id: "one-hook", module: "one" },
      { id: "two-hook", module: "two" },
    ],
  });
  expect(await read("/api/routes")).toMatchObject([{ module: "one" }, { module: "two" }]);
  expect(await read("/api/events?module=two")).toMatchObject([{ module: "two" }]);
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toContain('orgloop_events_received_total{module="two",source="two-hook"} 1');

  // Stopped while events of both flow: what was answered 200 until then is not lost.
  const flowing = (async () => {
    for (let n = 1; n < 200; n += 1) expect(await post(port, "one-hook", n)).toBe(200);
  })();
  const answered = [0];
  const until = (async () => {
    for (let n = 1; ; n += 1) {
      const status = await post(port, "two-hook", n);
      if (status === 404) return;
      if (status === 200) answered.push(n);
    }
  })();
  const stopped = await json("two", "stop");
  expect(stopped).toMatchObject({ code: 0, answer: { stopped: true, module: "two" } });
  await Promise.all([flowing, until]);
  await expect.poll(() => delivered("one"), PATIENCE).toEqual(numbers(200));
  expect(await registered()).toEqual(["one"]);
  expect((await json<{ running: boolean }>("two", "status")).answer.running).toBe(false);
  expect((await json<{ running: boolean }>("one", "status")).answer.running).toBe(true);

  // It comes back, with its own state, and the daemon ends with its last project.
  expect((await run("two", "start", "--daemon")).code).toBe(0);
  expect(await post(port, "two-hook", 9_999)).toBe(200);
  await expect.poll(() => delivered("two"), PATIENCE).toContain(9_999);
  expect([...new Set(await delivered("two"))]).toEqual(expect.arrayContaining(answered));
  expect((await run("one", "stop")).stdout).toContain('Stopped the project "one"');
  expect((await run("two", "stop")).stdout).toBe(`Stopped process ${one.pid}.\n`);
  expect(await registered()).toEqual([]);
  await expect(readFile(path.join(home, "heartbeat"))).rejects.toMatchObject({ code: "ENOENT" });
  await expect(readFile(path.join(home, "orgloop.pid"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("a supervised daemon that is killed comes back; one that is stopped does not", async () => {
  const { home, make, run, json, post, registered } = await workshop();
  await make("one");
  expect(await json<Failure>("one", "start", "--supervised")).toMatchObject({
    code: 1,
    answer: { error: { code: "USAGE" } },
  });
  const { answer: first } = await json("one", "start", "--daemon", "--supervised");
  process.kill(first.pid, "SIGKILL");
  const supervisor = async () =>
    JSON.parse(await readFile(path.join(home, "supervisor.json"), "utf8"));
  await expect.poll(async () => (await supervisor()).child, PATIENCE).not.toBe(first.pid);
  const running = async () => (await json<{ running: boolean }>("one", "status")).answer.running;
  await expect.poll(running, PATIENCE).toBe(true);
  const port = Number(await readFile(path.join(home, "runtime.port"), "utf8"));
  expect(await post(port, "one-hook", 1)).toBe(200);
  expect((await run("one", "stop")).stdout).toMatch(/^Stopped process/);
  await expect.poll(() => supervisor().catch(() => null), PATIENCE).toBe(null);
  expect(await registered()).toEqual([]);
});

test("a supervised daemon that has just crashed is stopped for good", async () => {
  const { home, make, run, json } = await workshop();
  await make("one");
  const { answer: first } = await json("one", "start", "--daemon", "--supervised");
  const file = path.join(home, "supervisor.json");
  const supervisor = JSON.parse(await readFile(file, "utf8"));
  // It would be back after a second: held there.
  process.kill(supervisor.pid, "SIGSTOP");
  process.kill(first.pid, "SIGKILL");
  const gone = async () => (await json<{ running: boolean }>("one", "status")).answer.running;
  await expect.poll(gone, PATIENCE).toBe(false);
  const stopped = run("one", "stop");
  await expect(stopped).resolves.toMatchObject({ code: 0, stdout: "Stopped the supervisor.\n" });
  process.kill(supervisor.pid, "SIGCONT");
  await expect.poll(() => readFile(file).catch(() => null), PATIENCE).toBe(null);
  expect(await json("one", "status")).toMatchObject({ answer: { running: false } });
});

test("stop --all wants no project where it is run", async () => {
  const { home, env } = await workshop();
  await mkdir(home);
  expect(await orgloop(["stop", "--all"], env, home)).toMatchObject({
    code: 0,
    stdout: "Nothing is running.\n",
  });
});

test("what cannot be registered is refused by name, and the daemon runs on", async () => {
  const { make, json, post, dirOf, registered, delivered, home } = await workshop();
  await make("one");
  const { answer: one } = await json("one", "start", "--daemon");
  const refused = async (name: string) => {
    const { code, answer } = await json<Failure>(name, "start", "--daemon");
    return { status: code, ...answer.error };
  };
  expect(await refused("one")).toMatchObject({ code: "ALREADY_RUNNING" });

  await make("same", "other-hook", { metadata: { name: "one" } });
  expect(await refused("same")).toMatchObject({
    code: expect.stringMatching(/MODULE_EXISTS|ALREADY_RUNNING/),
    message: expect.stringContaining(dirOf("one")),
  });

  // What could not be written once is tried again by the next one.
  const registry = path.join(home, "modules.json");
  await rename(registry, `${registry}.aside`);
  await mkdir(registry);
  await make("late");
  expect((await refused("late")).status).toBe(1);
  await rmdir(registry);
  await rename(`${registry}.aside`, registry);
  expect((await json("late", "start", "--daemon")).code).toBe(0);
  expect((await json("late", "stop")).code).toBe(0);

  await make("bad", "bad-hook", { actors: [] });
  const bad = await json<Failure>("bad", "start");
  expect(bad.code).toBe(2);
  expect(bad.answer.error.code).toBe("CONFIG_INVALID");
  expect(bad.answer.error.message).toMatch(/orgloop\.yaml:1:\d+: .*"out"/);

  expect(await registered()).toEqual(["one"]);
  expect(await post(one.port, "one-hook", 0)).toBe(200);
  await expect.poll(() => delivered("one"), PATIENCE).toEqual([0]);
});

test("a daemon that is started again runs what it was told; one that is stopped for good does not", async () => {
  const { make, json, run, post, registered, dirOf } = await workshop();
  for (const name of ["one", "two", "three"]) await make(name);
  const { answer: first } = await json("one", "start", "--daemon");
  await json("two", "start");
  await json("three", "start");
  process.kill(first.pid, "SIGKILL");
  await expect
    .poll(async () => (await json<{ running: boolean }>("two", "status")).answer.running, PATIENCE)
    .toBe(false);

  // One of them cannot be loaded by now: said, kept, and no reason not to run the others.
  const manifest = path.join(dirOf("three"), "orgloop.yaml");
  const good = await readFile(manifest, "utf8");
  await writeFile(manifest, good.replace('"out"', '"gone"'));
  const { answer: again } = await json("one", "start", "--daemon");
  expect(await post(again.port, "two-hook", 0)).toBe(200);
  expect(await post(again.port, "three-hook", 0)).toBe(503);
  expect((await registered()).sort()).toEqual(["one", "three", "two"]);
  await writeFile(manifest, good);
  expect((await run("three", "start")).code).toBe(0);
  expect(await post(again.port, "three-hook", 0)).toBe(200);

  expect((await run("two", "shutdown")).stdout).toBe(`Stopped process ${again.pid}.\n`);
  expect(await registered()).toEqual([]);
  const { answer: alone } = await json("one", "start", "--daemon");
  expect(await post(alone.port, "two-hook", 0)).toBe(404);
});
