import { appendFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { openFileBus } from "@orgloop/bus/file";
import { testEvent } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { initProject, NO_CHANGES } from "./init-project.ts";

const acme = initProject();
const { run, json, start, edit } = acme;

const firstLine = ({ stdout }: { stdout: string }) => stdout.split("\n")[0];

test("plan compares what was applied with the files, whether or not a process runs", async () => {
  const first = await run("plan");
  expect(first.code).toBe(0);
  expect(firstLine(first)).toMatch(/^2 sources added, 2 actors added, \d routes added$/);
  expect(await run("plan", "--detailed-exitcode")).toMatchObject({ code: 2 });

  const started = await start();
  expect(firstLine(await run("plan"))).toBe(NO_CHANGES);
  expect(await started.end("SIGTERM")).toBe(0);
  expect(await run("plan", "--detailed-exitcode")).toMatchObject({
    code: 0,
    stdout: `${NO_CHANGES}\n`,
  });

  await appendFile(path.join(acme.project, "sops/urgent.md"), "Say it twice.\n");
  await edit("orgloop.yaml", "max_attempts: 5", "max_attempts: 6");
  const { code, answer } = await json("plan", "--detailed-exitcode");
  expect(code).toBe(2);
  expect(answer).toMatchObject({
    format_version: "1.0",
    workspace: "default",
    state: { serial: 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    summary: { add: 0, remove: 0 },
    destructive: [],
    drift: null,
  });
  expect(answer.changes).toContainEqual({
    kind: "route",
    name: "on-record",
    action: "change",
    paths: ["delivery.retry.max_attempts"],
    from: { "delivery.retry.max_attempts": 5 },
    to: { "delivery.retry.max_attempts": 6 },
    file: "orgloop.yaml",
    line: expect.any(Number),
  });
  const { stdout } = await run("plan");
  expect(stdout).toMatch(
    /with\.prompt\.text: 1 line added {2}sops\/urgent\.md\n {8}\+ Say it twice\.\n/,
  );

  await edit("orgloop.yaml", "bus: file", "buss: file");
  expect(await run("plan")).toMatchObject({ code: 2 });
  const invalid = await run("plan", "--detailed-exitcode");
  expect(invalid).toMatchObject({ code: 1, stdout: "" });
  expect(invalid.stderr).toContain('orgloop.yaml:11:1: unknown key "buss": did you mean "bus"?');
});

test("a missing variable is a warning, a secret in the configuration is hidden", async () => {
  await edit(
    "connectors/actors.yaml",
    "actors:\n",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
    'actors:\n  - { id: far, connector: "@orgloop/connector-webhook", config: { url: "https://far.test", secret: "${FAR_SECRET}", token: plain-text } }\n',
  );
  const { code, stderr, answer } = await json("plan");
  expect(code).toBe(0);
  expect(stderr).toMatch(/connectors\/actors\.yaml:\d+:\d+: environment variable "FAR_SECRET"/);
  const text = JSON.stringify(answer);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
  expect(text).toContain("${FAR_SECRET}");
  expect(text).not.toContain("plain-text");
});

test("what is lost is marked: a checkpoint, events that wait, the old bus", async () => {
  await edit("connectors/sources.yaml", "cron: every 5m", 'cron: "0 0 1 1 *"');
  const started = await start();
  expect(await started.end("SIGTERM")).toBe(0);
  const data = path.join(acme.root, "home/data");
  await writeFile(
    path.join(data, "checkpoints/clock.json"),
    '{"checkpoint":"7","updated_at":"2026-11-27T12:00:00.000Z"}\n',
  );
  const bus = await openFileBus({ dir: path.join(data, "wal") });
  await bus.publish(testEvent({ source: "inbox" }));
  await bus.close();
  await edit("connectors/sources.yaml", "id: clock", "id: watch");
  await edit("routes/routes.yaml", "clock", "watch");
  await edit("routes/routes.yaml", "name: on-record", "name: recorded");
  const { answer } = await json("plan");
  expect(answer.destructive).toEqual([
    { kind: "source", name: "clock", checkpoint: true, queued: 0 },
    { kind: "route", name: "on-record", checkpoint: false, queued: 1 },
  ]);
  const { stdout } = await run("plan");
  expect(stdout).toContain("Destructive:\n  ! source clock: its checkpoint goes");
  expect(stdout).toMatch(/^ {2}- route on-record {2}! 1 event queued$/m);
  await edit("orgloop.yaml", "bus: file", "bus: memory");
  expect((await json("plan")).answer.destructive).toContainEqual({
    kind: "bus",
    name: "bus",
    checkpoint: false,
    queued: 1,
  });
});

test("a plan is saved for its owner alone; apply without a process says what to do", async () => {
  const file = path.join(acme.root, "plan.json");
  expect(await run("plan", "--out", file)).toMatchObject({ code: 0 });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  for (const args of [["apply"], ["apply", file]]) {
    expect(await run(...args)).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining('nothing runs in the workspace "default"'),
    });
  }
  await edit("orgloop.yaml", "bus: file", "buss: file");
  expect(await run("apply")).toMatchObject({ code: 2, stdout: "" });
});

test("plan --events tells which recorded events would meet another fate, by route, with examples", async () => {
  const started = await start();
  const lines = [1, 2, 3].map((n) => ({ source: "inbox", payload: { n, urgent: n === 1 } }));
  const file = path.join(acme.root, "sent.jsonl");
  await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  expect(await run("inject", file)).toMatchObject({ code: 0 });
  expect(await started.end("SIGTERM")).toBe(0);

  const before = await run("plan", "--events");
  expect(before.stdout).toMatch(
    /\nAll \d recorded events would be routed as before \(.*data\/events\)/,
  );

  await edit("routes/routes.yaml", "payload.urgent: true", 'payload.n: [{ numeric: [">", 1] }]');
  for (const target of [[], [path.join(acme.root, "home/data/events")], [file]]) {
    const { answer } = await json("plan", "--events", ...target);
    expect(answer.events).toMatchObject({ changed: 3, unreadable: 0, not_compared: [] });
    expect(answer.events.routes).toMatchObject([
      { route: "tell-urgent", counts: { now_routed: 2, no_longer_routed: 1 } },
    ]);
    expect(answer.events.routes[0].examples).toHaveLength(3);
  }
  const { code, stdout } = await run("plan", "--events", file);
  expect(code).toBe(0);
  expect(stdout).toContain("\n3 of 3 recorded events meet another fate");
  expect(stdout).toContain("\n  ~ route tell-urgent: 2 now routed, 1 no longer routed\n");
  expect(stdout).toContain("evt_line2: not routed → delivered to terminal");
  expect(await run("plan", "--events", path.join(acme.root, "none.jsonl"))).toMatchObject({
    code: 1,
  });
});
