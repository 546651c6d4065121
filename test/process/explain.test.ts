import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { orgloop, type RunningOrgLoop, startOrgLoop } from "../run-orgloop.ts";

const HEAD = "apiVersion: orgloop/v1alpha1\nkind:";
const TOKEN = "tok_0123456789abcdef";

const route = (name: string, filter: string, rest = "") =>
  `  - name: ${name}
    when:
      source: hook
      events: [resource.changed]
      filter:
        ${filter}
    then: { actor: out }
${rest}`;

const FILES: Readonly<Record<string, string>> = {
  ".env": `TOKEN=${TOKEN}\n`,
  "orgloop.yaml": `${HEAD} Project
metadata: { name: demo }
sources:
  - id: hook
    connector: "@orgloop/connector-webhook"
    config: {}
    public: true
    schemas: { resource.changed: ./n.json }
  - { id: other, connector: "@orgloop/connector-webhook", config: {}, public: true }
actors:
  - { id: out, connector: "@orgloop/connector-file", config: { path: ./out.jsonl } }
  - { id: ill, connector: "@orgloop/connector-exec", config: { command: "exit 1", env: [] } }
transforms:
  - { name: once, type: package, package: "@orgloop/transform-dedup", config: { key: [payload.n], window: 1h } }
`,
  "n.json": '{ "properties": { "n": { "type": "integer" } } }',
  "routes/r.yaml": `${HEAD} RouteGroup
routes:
${route("one", "payload.n: 1", "    transforms: [{ ref: once }]\n")}${route(
  "choice",
  '$or: [{ payload.n: 7 }, { payload.title: [{ prefix: "x" }] }]',
)}${route("secret", `payload.token: "\${TOKEN}"`)}
  - name: elsewhere
    when: { source: other, events: [resource.changed] }
    then: { actor: out }
`,
  "teams/ops/routes.yaml": `${HEAD} RouteGroup
routes:
  - name: broken
    when: { source: hook, events: [resource.changed], filter: { payload.n: [1, 2] } }
    then: { actor: ill, delivery: { retry: { max_attempts: 2, initial_delay: 10ms, jitter: none }, circuit_breaker: false } }
`,
  "teams/ops/team.yaml": `${HEAD} Team\nmetadata: { name: ops }\n`,
};

async function demo() {
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-explain-"));
  const project = path.join(root, "project");
  const env = { ORGLOOP_HOME: path.join(root, "home"), NO_COLOR: "1" };
  const write = async (file: string, content: string) => {
    await mkdir(path.dirname(path.join(project, file)), { recursive: true });
    await writeFile(path.join(project, file), content);
  };
  for (const [file, content] of Object.entries(FILES)) await write(file, content);
  let running: RunningOrgLoop | null = null;
  onTestFinished(async () => {
    await running?.end("SIGKILL");
    await rm(root, { recursive: true, force: true });
  });
  return {
    project,
    write,
    async start() {
      running = await startOrgLoop(project, env);
      return running.url;
    },
    async stop() {
      await running?.end("SIGTERM");
      running = null;
    },
    async text(...args: string[]) {
      return orgloop(["explain", ...args, "--config", project], env);
    },
    async run(...args: string[]) {
      const { code, stdout, stderr } = await orgloop(
        ["explain", ...args, "--config", project, "--json"],
        env,
      );
      return { code, stderr, events: stdout === "" ? [] : JSON.parse(stdout).events };
    },
    command: (...args: string[]) => orgloop([...args, "--config", project], env),
  };
}

type Shown = {
  route: string;
  matched: boolean | null;
  file: string;
  line: number;
  column: number;
  stopped_by: Record<string, unknown> | null;
  outcome: Record<string, unknown> | null;
  differs: string | null;
  unknown: string | null;
};

const byRoute = ({ routes }: { routes: readonly Shown[] }) =>
  Object.fromEntries(routes.map((one) => [one.route, one]));

test("a file: the first predicate that stopped it, with its place, and no secret", async () => {
  const it = await demo();
  const event = { source: "hook", payload: { n: 2, token: `${TOKEN}x`, title: TOKEN } };
  await it.write("event.json", JSON.stringify(event));
  const { code, events } = await it.run(path.join(it.project, "event.json"));
  expect(code).toBe(0);
  const [found] = events;
  expect(found).toMatchObject({ state: null, timeline: null, misfit: null, more: 0 });
  expect(found).toMatchObject({ matched: 1, total: 4 });
  const routes = byRoute(found);
  expect(routes["ops/broken"]).toMatchObject({ matched: true, stopped_by: null });
  expect(routes.one).toMatchObject({
    matched: false,
    file: "routes/r.yaml",
    line: 4,
    stopped_by: {
      path: "payload.n",
      operator: "equals",
      operand: 1,
      expected: "1",
      found: "2",
      file: "routes/r.yaml",
      line: 9,
      column: 20,
    },
  });
  expect(routes.choice?.stopped_by).toMatchObject({
    path: "$or",
    branches: [
      { path: "payload.n", expected: "7", found: "2" },
      { path: "payload.title", found: '"***"' },
    ],
  });
  expect(routes.secret?.stopped_by).toMatchObject({ path: "payload.token" });
  expect(JSON.stringify(found)).not.toContain(TOKEN);
  const { stdout } = await it.text(path.join(it.project, "event.json"), "--route", "one");
  expect(stdout).toContain("payload.n: expected 1, found 2  routes/r.yaml:9:20");
  expect(await it.run("event.json", "--route", "onne")).toMatchObject({ code: 1 });
});

test("an event that came: what happened to it, while the process runs and after", async () => {
  const it = await demo();
  const url = await it.start();
  const post = async (payload: object) => {
    const answer = await fetch(`${url}/webhook/hook`, {
      method: "POST",
      body: JSON.stringify(payload),
    });
    return ((await answer.json()) as { event_id: string }).event_id;
  };
  const first = await post({ n: 1 });
  const second = await post({ n: 1, again: true });
  const unfit = await post({ n: "one" });
  const none = await post({ n: 5 });
  await vi.waitFor(
    async () => {
      const { stdout } = await it.command("dead-letters", "list", "--json");
      expect(JSON.parse(stdout)).toHaveLength(3);
    },
    { timeout: 20_000, interval: 200 },
  );

  const look = async () => {
    // One after the other: who reads the files of a process that has ended holds its lock.
    const found: Awaited<ReturnType<typeof it.run>>[] = [];
    for (const id of [first, second, unfit, none]) found.push(await it.run(id));
    expect(found.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    return found.map(({ events }) => events[0]);
  };
  const whileRunning = await look();
  const [one, two, three, four] = whileRunning;
  expect(one).toMatchObject({ state: "routed", event: { id: first, source: "hook" } });
  expect(byRoute(one).one?.outcome).toMatchObject({ state: "delivered", attempts: 1 });
  const dead = { state: "dead", reason: "exhausted", attempts: 2, actor: "ill" };
  expect(byRoute(one)["ops/broken"]?.outcome).toMatchObject(dead);
  expect(byRoute(one).choice).toMatchObject({ matched: false, outcome: null, differs: null });
  const phases = one.timeline.map(({ phase }: { phase: string }) => phase);
  expect(phases[0]).toBe("source.emit");
  expect(phases).toEqual(
    expect.arrayContaining(["transform.pass", "deliver.success", "deliver.retry"]),
  );
  expect(phases.at(-1)).toBe("deliver.dead_letter");
  expect(byRoute(two).one?.outcome).toMatchObject({ state: "dropped", transform: "once" });
  expect(two.timeline).toContainEqual(
    expect.objectContaining({ route: "one", text: "dropped as a duplicate by once" }),
  );
  expect(three).toMatchObject({ state: "unfit", reason: "invalid", outcomes: [] });
  expect(three.misfit).toBe("payload.n must be integer (n.json)");
  expect(three.timeline[0].text).toContain("payload.n must be integer (n.json)");
  expect(four).toMatchObject({ state: "no route", outcomes: [], matched: 0 });

  // The beginning of an id will do where it is the only one, and a file goes before.
  expect((await it.run(first.slice(0, 16))).events[0].event.id).toBe(first);
  expect((await it.run(first.slice(4, 16))).events[0].event.id).toBe(first);
  expect((await it.run("evt_")).code).toBe(1);
  expect((await it.run("evt_0000000000")).code).toBe(1);

  await it.stop();
  expect(await look()).toEqual(whileRunning);
  const { stdout } = await it.text(first);
  expect(stdout).toMatch(/ops\/broken\s+dead letter: exhausted/);

  // Outcomes are those of then, predicates those of now.
  const file = await readFile(path.join(it.project, "routes/r.yaml"), "utf8");
  await it.write("routes/r.yaml", file.replace("payload.n: 1", "payload.n: 3"));
  const now = byRoute((await it.run(first)).events[0]);
  expect(now.one).toMatchObject({
    matched: false,
    outcome: { state: "delivered" },
    differs: "it took the event then, and would not now",
  });
}, 60_000);
