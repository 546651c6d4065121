import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { findTests, loadTests } from "@orgloop/config/tests";
import { pluginLookup } from "@orgloop/node";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { orgloop } from "../run-orgloop.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const MODULES = path.join(ROOT, "modules");
const NAMES = ["code-review", "ci-monitor", "team-standard", "compliance-audit"];

let home: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "orgloop-tests-"));
  env = { ORGLOOP_HOME: path.join(home, "home"), NO_COLOR: "1" };
});
afterAll(() => rm(home, { recursive: true }));

async function run(...args: string[]) {
  const { code, stdout, stderr } = await orgloop(["test", ...args, "--json"], env);
  return { code, stderr, answer: JSON.parse(stdout) };
}

describe("what ships", () => {
  test.each([
    ["the modules", [MODULES]],
    ["acme", ["-c", path.join(ROOT, "examples/acme")]],
    ["the enterprise, its teams and workspaces", ["-c", path.join(ROOT, "examples/enterprise")]],
  ])("%s pass their tests", async (_, args) => {
    const { code, answer, stderr } = await run(...args);
    expect(answer.tests.filter(({ passed }: { passed: boolean }) => !passed)).toEqual([]);
    expect(answer).toMatchObject({ failed: 0, errors: [] });
    expect(answer.passed).toBeGreaterThan(5);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test.each(NAMES)(
    "the tests of %s see every route deliver and every dropping transform drop",
    async (name) => {
      const delivered = new Set<string>();
      const dropping = new Set<string>();
      const routes = new Set<string>();
      const droppers = new Set<string>();
      for (const file of findTests(path.join(MODULES, name))) {
        const lookup = (projectDir: string) => pluginLookup({ projectDir });
        const { cases, errors } = await loadTests(file, { env, lookup });
        expect(errors).toEqual([]);
        for (const { topology, steps } of cases) {
          const own = (full: string, instance = `${name}-`) =>
            full.replace(/^platform-review-/, instance).slice(instance.length);
          for (const route of topology.routes) routes.add(own(route.name));
          for (const one of topology.transforms) {
            if (/-(filter|dedup)$/.test(one.package ?? "")) droppers.add(own(one.name));
          }
          for (const { expected } of steps) {
            for (const [route, { kind, transform }] of expected.routes) {
              if (kind === "delivered") delivered.add(own(route));
              else if (transform !== null) dropping.add(own(transform));
            }
          }
        }
      }
      expect(delivered).toEqual(routes);
      expect(dropping).toEqual(droppers);
    },
  );
});

describe("orgloop test", () => {
  const PROJECT = `apiVersion: orgloop/v1alpha1
kind: Project
metadata: { name: acme }
sources: [{ id: hub, connector: "@orgloop/connector-webhook", config: { secret: "\${NOWHERE_SET}" } }]
actors: [{ id: bot, connector: "@orgloop/connector-webhook", config: { url: "http://127.0.0.1:9" } }]
transforms: [{ name: check, type: script, script: check.sh }]
routes:
  - name: review
    when: { source: hub, events: [resource.changed] }
    transforms: [{ ref: check }]
    then: { actor: bot, config: { subject: "{{payload.title}}" } }
`;
  const TESTS = `apiVersion: orgloop/v1alpha1
kind: Test
tests:
  - name: it is reviewed
    given: { payload: { title: one } }
    expect: { routes: { review: { actor: bot, config: { subject: one } } } }
  - name: a failing script lets it through
    given: { payload: { title: broken } }
    expect: { routes: { review: { passed_by: check } } }
  - name: a draft is dropped
    given: { payload: { title: draft } }
    expect: { routes: { review: dropped } }
`;
  let project: string;
  beforeAll(async () => {
    project = await mkdtemp(path.join(home, "acme-"));
    await writeFile(path.join(project, "orgloop.yaml"), PROJECT);
    const script = path.join(project, "check.sh");
    await writeFile(
      script,
      '#!/bin/sh\nread -r event\ncase $event in *broken*) exit 2;; *draft*) exit 1;; esac\nprintf %s "$event"\n',
    );
    await chmod(script, 0o755);
    await writeFile(path.join(project, "a.test.yaml"), TESTS);
  });

  test("runs scripts, needs no variable and no network; --filter chooses", async () => {
    expect(await run("-c", project)).toMatchObject({ code: 0, answer: { passed: 3, failed: 0 } });
    expect((await run(project, "--filter", "failing")).answer.tests).toEqual([
      {
        file: expect.any(String),
        line: 7,
        name: "a failing script lets it through",
        passed: true,
        failures: [],
      },
    ]);
    expect(await run(project, "--filter", "nothing")).toMatchObject({
      code: 1,
      answer: { error: { code: "NO_TESTS" } },
    });
  });

  test("a failure says what was expected, where that stands, and what was got", async () => {
    const file = path.join(project, "b.test.yaml");
    await writeFile(
      file,
      TESTS.replace("subject: one }", "subject: two }").replace("actor: bot", "actor: bot, key: x"),
    );
    const { code, stdout } = await orgloop(["test", file], env);
    await rm(file);
    expect(code).toBe(1);
    expect(stdout.replaceAll(path.relative(process.cwd(), file), "FILE")).toBe(`FILE
  ✗ it is reviewed
      FILE:6:74: route "review", config subject
        expected  two
        got       one
      FILE:6:52: route "review", key
        expected  x
        got       hub
  ✓ a failing script lets it through
  ✓ a draft is dropped
2 tests passed, 1 failed ✗
`);
  });

  test("an invalid test, or an invalid project, is 2", async () => {
    const file = path.join(project, "c.test.yaml");
    await writeFile(file, TESTS.replace("review: dropped", "reviw: dropped"));
    const wrong = await run(file);
    expect(wrong).toMatchObject({ code: 2, answer: { passed: 2, failed: 0 } });
    expect(wrong.answer.errors).toEqual([
      {
        file: path.relative(process.cwd(), file),
        line: 12,
        column: 25,
        path: "tests[2].expect.routes.reviw",
        message: 'there is no route "reviw": did you mean "review"?',
        code: "unknown-reference",
      },
    ]);
    await rm(file);
    const manifest = path.join(project, "orgloop.yaml");
    await writeFile(manifest, PROJECT.replace("actor: bot", "actor: bat"));
    expect(await run(project)).toMatchObject({
      code: 2,
      answer: { errors: [{ message: expect.stringContaining('did you mean "bot"?') }] },
    });
    await writeFile(manifest, PROJECT);
  });

  test("an event is injected, as before", async () => {
    const file = path.join(home, "event.json");
    await writeFile(file, '{"source":"hub"}');
    expect(await readFile(file, "utf8")).toContain("hub");
    expect(await run(file, "-c", project)).toMatchObject({
      code: 1,
      answer: { error: { code: "NOT_RUNNING" } },
    });
  });
});

test("an event is generated, and told where it would go, without anything running", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-dry-run-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const env = { ORGLOOP_HOME: path.join(root, "home") };
  const project = path.join(root, "acme");
  expect(await orgloop(["init", project], env)).toMatchObject({ code: 0 });
  const generated = await orgloop(["test", "--generate", "linear"], env);
  const event = JSON.parse(generated.stdout);
  expect(event).toMatchObject({ source: "linear", type: "resource.changed" });
  const file = path.join(root, "event.json");
  await writeFile(file, JSON.stringify({ ...event, source: "inbox", payload: { urgent: true } }));
  const { code, stdout } = await orgloop(
    ["test", file, "--dry-run", "--config", project, "--json"],
    env,
  );
  const to = { result: "delivered", transform: null };
  expect([code, JSON.parse(stdout)]).toEqual([
    0,
    {
      dry_run: true,
      events: [
        {
          event_id: event.id,
          source: "inbox",
          stopped: [],
          routes: [
            { route: "on-record", actor: "records", ...to },
            { route: "tell-urgent", actor: "terminal", ...to },
          ],
        },
      ],
    },
  ]);
  await expect(stat(path.join(root, "home/data/wal"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("--coverage names the routes that no test reaches, --junit writes the results for CI", async () => {
  const project = path.join(home, "covered");
  const yaml = (kind: string, rest: string) =>
    `apiVersion: orgloop/v1alpha1\nkind: ${kind}\n${rest}`;
  const route = (name: string, n: number) =>
    `  - { name: ${name}, when: { source: hook, events: [resource.changed], filter: { payload.n: ${n} } }, then: { actor: out } }\n`;
  const files = {
    "orgloop.yaml": yaml(
      "Project",
      `metadata: { name: covered }
sources: [{ id: hook, connector: "@orgloop/connector-webhook", config: {}, public: true }]
actors: [{ id: out, connector: "@orgloop/connector-console" }]
`,
    ),
    "routes/r.yaml": yaml("RouteGroup", `routes:\n${route("one", 1)}${route("two", 2)}`),
    "p.test.yaml": `apiVersion: orgloop/v1alpha1
kind: Test
metadata: { name: covered }
tests:
  - name: one is routed
    given: { source: hook, payload: { n: 1 } }
    expect: { routes: [one] }
`,
  };
  for (const [file, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(project, file)), { recursive: true });
    await writeFile(path.join(project, file), content);
  }
  const junit = path.join(home, "out/junit.xml");
  const { code, answer, stderr } = await run("-c", project, "--coverage", "--junit", junit);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(answer.coverage).toEqual({
    routes: 2,
    reached: 1,
    percent: 50,
    unreached: [
      { name: "two", file: expect.stringMatching(/routes\/r\.yaml$/), line: 5, column: 5 },
    ],
  });
  expect(await readFile(junit, "utf8")).toContain('tests="1" failures="0" errors="0"');
  const { stdout } = await orgloop(["test", "-c", project, "--coverage"], env);
  expect(stdout).toMatch(
    /routes\/r\.yaml:5:5: no test reaches the route "two"\n1 of 2 routes reached \(50 %\)\n$/,
  );
});
