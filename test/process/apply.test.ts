import { appendFile, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { writeAppliedState } from "@orgloop/stores";
import { expect, test } from "vitest";
import { initProject, NO_CHANGES } from "./init-project.ts";

const acme = initProject();
const { run, json, start, edit } = acme;

const state = async () =>
  JSON.parse(await readFile(path.join(acme.root, "home/data/state.json"), "utf8"));

async function send(n: number): Promise<void> {
  const file = path.join(acme.root, `event-${n}.json`);
  await writeFile(file, JSON.stringify({ source: "inbox", payload: { n, urgent: true } }));
  expect(await run("inject", file)).toMatchObject({ code: 0 });
}

const records = () =>
  readFile(path.join(acme.project, "out/records.jsonl"), "utf8").catch(() => "");

test("plan → start → change → plan → apply → no changes, without a restart", async () => {
  const { child } = await start();
  await send(1);
  await expect.poll(records, { timeout: 60_000 }).toContain('"n":1');
  await edit("connectors/actors.yaml", "path: out/records.jsonl", "path: out/second.jsonl");
  await edit("routes/routes.yaml", "name: tell-urgent", "name: tell-all");
  const planned = await run("plan");
  const summary = "1 actor changed, 1 route added, 1 route removed";
  expect(planned.stdout.split("\n")[0]).toBe(summary);

  const applied = await run("apply");
  expect(applied).toMatchObject({ code: 0 });
  expect(applied.stdout.split("\n")[0]).toBe(summary);
  expect(applied.stdout).toMatch(/\nApplied serial 2 \([0-9a-f]{12}\): 1 actor changed, /);
  expect(await state()).toMatchObject({ serial: 2 });
  expect(await run("plan", "--detailed-exitcode")).toMatchObject({
    code: 0,
    stdout: `${NO_CHANGES}\n`,
  });
  expect(await json("apply")).toMatchObject({
    code: 0,
    answer: { changes: [], drift: null, applied: { changed: false, serial: 2 } },
  });
  expect(child.exitCode).toBeNull();
  expect((await json("status")).answer.routes.map((it: { name: string }) => it.name)).toContain(
    "tell-all",
  );
  await send(2);
  const second = path.join(acme.project, "out/second.jsonl");
  await expect
    .poll(() => readFile(second, "utf8").catch(() => ""), { timeout: 60_000 })
    .toContain('"n":2');
  expect(await records()).not.toContain('"n":2');
});

test("a saved plan is applied as it is; one from another state is refused, naming both", async () => {
  await start();
  await edit("orgloop.yaml", "max_attempts: 5", "max_attempts: 6");
  const [first, second] = ["first.json", "second.json"].map((it) => path.join(acme.root, it)) as [
    string,
    string,
  ];
  expect(await run("plan", "--out", first)).toMatchObject({ code: 0 });
  await edit("orgloop.yaml", "max_attempts: 6", "max_attempts: 7");
  expect(await run("plan", "--out", second)).toMatchObject({ code: 0 });

  expect(await run("apply", first, "-w", "other")).toMatchObject({ code: 1 });
  await edit("orgloop.yaml", "name: acme", "name: other");
  expect(await run("apply", first)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('the plan is for the project "acme", this is "other"'),
  });
  await edit("orgloop.yaml", "name: other", "name: acme");
  const applied = await json("apply", first);
  expect(applied).toMatchObject({ code: 0, answer: { applied: { changed: true, serial: 2 } } });
  const { topology, hash } = await state();
  expect(topology.routes[0].delivery.retry.max_attempts).toBe(6);

  const stale = await run("apply", second);
  expect(stale).toMatchObject({ code: 1, stdout: "" });
  const { state: from } = JSON.parse(await readFile(second, "utf8"));
  expect(stale.stderr).toContain(
    `the plan was made from serial 1 (${from.hash.slice(0, 12)}), by now there is serial 2 (${hash.slice(0, 12)}): make a new plan; nothing was applied`,
  );
  await writeFile(
    first,
    (await readFile(first, "utf8")).replace('"max_attempts":6', '"max_attempts":9'),
  );
  expect(await run("apply", first)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("it was changed since it was saved"),
  });
  expect(await state()).toMatchObject({ serial: 2 });
});

test("a failed apply leaves what ran running: a missing variable, a restart, an actor that cannot be made", async () => {
  await start();
  const before = await state();
  const actors = path.join(acme.project, "connectors/actors.yaml");
  const text = await readFile(actors, "utf8");
  const actor = (config: string) =>
    writeFile(
      actors,
      `${text}\n  - { id: far, connector: "@orgloop/connector-webhook", config: ${config} }\n`,
    );

  // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
  await actor('{ url: "${FAR_URL}" }');
  const missing = await run("apply");
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain("not applied, what ran before goes on: a variable is not set");
  expect(missing.stderr).toMatch(/FAR_URL: connectors\/actors\.yaml:\d+:\d+/);
  await actor('{ url: "http://127.0.0.1:1", secret: "no secret" }');
  expect(await run("apply")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/what ran before goes on: [\s\S]*actor "far": secret: expected/),
  });
  await writeFile(actors, text);

  await edit("orgloop.yaml", "bus: file", "bus: memory");
  expect(await run("apply")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("a running process cannot change that: stop it and start it"),
  });
  expect(await state()).toEqual(before);
  await send(1);
  await expect.poll(records, { timeout: 60_000 }).toContain('"n":1');

  // What was missing is read from .env at the apply.
  await edit("orgloop.yaml", "bus: memory", "bus: file");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
  await actor('{ url: "${FAR_URL}" }');
  await appendFile(path.join(acme.project, ".env"), "\nFAR_URL=http://127.0.0.1:1\n");
  expect(await run("apply")).toMatchObject({ code: 0 });
  const { serial } = await state();
  await appendFile(path.join(acme.project, ".env"), "\nFAR_URL=http://127.0.0.1:2\n");
  const renewed = await run("apply");
  expect(renewed.stdout).toBe(`${NO_CHANGES}\nNew values of variables: actor "far"\n`);
  expect(await state()).toMatchObject({ serial });
});

test("what a change would lose is counted in the running process: its queues and checkpoints", async () => {
  const actors = await readFile(path.join(acme.project, "connectors/actors.yaml"), "utf8");
  await writeFile(
    path.join(acme.project, "connectors/actors.yaml"),
    `${actors}\n  - { id: far, connector: "@orgloop/connector-webhook", config: { url: "http://127.0.0.1:1" } }\n`,
  );
  await edit(
    "routes/routes.yaml",
    "routes:\n",
    "routes:\n  - { name: far-away, when: { source: inbox, events: [resource.changed] }, then: { actor: far }, delivery: { retry: { max_attempts: 9, initial_delay: 60s, jitter: none } } }\n",
  );
  await start();
  await send(1);
  await send(2);
  const status = async () => (await json("status")).answer;
  await expect
    .poll(
      async () => (await status()).sources.map((it: { checkpoint: unknown }) => it.checkpoint),
      {
        timeout: 60_000,
      },
    )
    .toContainEqual(expect.any(String));
  await edit("routes/routes.yaml", "name: far-away", "name: far-off");
  await edit("connectors/sources.yaml", "id: clock", "id: watch");
  await edit("routes/routes.yaml", "clock", "watch");
  const { answer } = await json("plan");
  expect(answer.destructive).toEqual([
    { kind: "source", name: "clock", checkpoint: true, queued: 0 },
    { kind: "route", name: "far-away", checkpoint: false, queued: 2 },
  ]);
  const { stdout } = await run("plan");
  expect(stdout).toContain("Destructive:\n  ! source clock: its checkpoint goes");
  expect(stdout).toMatch(/^ {2}- route far-away {2}! 2 events queued$/m);
});

test("what runs and was not applied is drift, told apart from what the files change", async () => {
  await start();
  const { checksum: _, ...applied } = await state();
  // As after a restored backup: another configuration, of an earlier serial.
  const [route] = applied.topology.routes;
  const other = {
    ...applied,
    serial: 9,
    hash: "0".repeat(64),
    topology: {
      ...applied.topology,
      routes: [{ ...route, delivery: { ...route.delivery, burst: 7 } }],
    },
  };
  await writeAppliedState(path.join(acme.root, "home/data"), other);
  const { answer } = await json("plan");
  const drifted = { kind: "route", name: "on-record", action: "change", file: null, line: null };
  expect(answer.state).toMatchObject({ serial: 9 });
  expect(answer.drift).toMatchObject({
    state: { serial: 1, hash: applied.hash },
    summary: { add: 1, change: 1, remove: 0 },
  });
  expect(answer.drift.changes).toContainEqual(expect.objectContaining(drifted));
  const { stdout } = await run("plan");
  expect(stdout.split("\n")[0]).toBe("1 route added, 1 route changed");
  expect(stdout).toMatch(
    /\n\nDrift: process \d+ runs something else than was applied: 1 route added, 1 route changed\n/,
  );
  expect(stdout.split("Drift:")[1]).toMatch(/~ route on-record\n {6}delivery\.burst: 7 → 1\n/);

  // Applying the files, which is what runs, sets the state right.
  expect(await run("apply")).toMatchObject({ code: 0 });
  expect(await state()).toMatchObject(applied);
  expect(await run("plan")).toMatchObject({ stdout: `${NO_CHANGES}\n` });
});
