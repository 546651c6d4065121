// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";
import { resolveReferences } from "@orgloop/engine";
import type { OrgLoopEvent, PluginLookup, Topology, Transform } from "@orgloop/sdk";
import { testEvent } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { pluginLookup } from "../plugins/plugins.ts";
import { lookupOf, route, temporaryDir, topologyOf } from "../process/process-fixture.ts";
import { eventPasses, trialOf } from "./trial.ts";

const MINUTE = 60_000;

const event = (id: string, payload: Record<string, unknown> = {}): OrgLoopEvent =>
  testEvent({ id: `evt_${id}`, source: "hub", payload });

function topology(transforms: Topology["transforms"]): Topology {
  const use = transforms.map(({ name }) => ({ ref: name }));
  const base = topologyOf({ sources: { hub: {} } }, [
    { ...route("first", "hub", "bot"), transforms: use },
    { ...route("second", "hub", "bot"), then: { actor: "bot", config: { text: "{{payload.a}}" } } },
  ]);
  return { ...base, transforms };
}

const spec = (name: string, more: object): Topology["transforms"][number] => ({
  name,
  type: "package",
  config: {},
  timeout_ms: 5_000,
  on_error: "pass",
  ...more,
});

test("what a process would deliver, without one: no connector is looked up", async () => {
  const asked: string[] = [];
  const own = pluginLookup({ projectDir: import.meta.dirname });
  const lookup: PluginLookup = (name) => {
    asked.push(name);
    return own(name);
  };
  const dedup = spec("once", {
    package: "@orgloop/transform-dedup",
    config: { key: ["payload.a"], window: "10m" },
  });
  const begin = trialOf({ topology: topology([dedup]), projectDir: import.meta.dirname, lookup });
  const trial = begin();
  const kinds = async (one: OrgLoopEvent, atMs: number, of = trial) =>
    [...(await of.route(one, atMs)).routes].map(([name, { kind }]) => `${name} ${kind}`);
  const both = ["first delivered", "second delivered"];
  expect(await kinds(event("1", { a: 1 }), 0)).toEqual(both);
  expect(await kinds(event("1", { a: 1 }), MINUTE)).toEqual(both);
  expect(await kinds(event("2", { a: 1 }), 9 * MINUTE)).toEqual([
    "first dropped",
    "second delivered",
  ]);
  expect(await kinds(event("3", { a: 1 }), 11 * MINUTE)).toEqual(both);
  expect(await kinds({ ...event("4"), source: "other" }, 0)).toEqual([]);
  const tried = await trial.route(event("5", { a: "x" }), 0);
  expect(tried.routes.get("second")).toMatchObject({ delivery: { config: { text: "x" } } });
  const another = begin();
  expect(await kinds(event("6", { a: 1 }), 11 * MINUTE, another)).toEqual(both);
  expect(asked).toEqual(["@orgloop/transform-dedup", "@orgloop/transform-dedup"]);
  await trial.close();
  await another.close();
});

test("scripts run, and what fails is told", async () => {
  const projectDir = await temporaryDir();
  const script = async (name: string, text: string) => {
    await writeFile(path.join(projectDir, name), `#!/bin/sh\n${text}\n`);
    await chmod(path.join(projectDir, name), 0o755);
    return spec(name, { type: "script", script: name });
  };
  const lookup = pluginLookup({ projectDir });
  const result = async (one: Topology["transforms"][number]) => {
    const trial = trialOf({ topology: topology([one]), projectDir, lookup })();
    const { routes, passed } = await trial.route(event("1", { a: 1 }), 0);
    await trial.close();
    return { first: routes.get("first"), passed };
  };
  const changed = await result(await script("change.sh", `sed 's/"a":1/"a":2/'`));
  expect(changed.first).toMatchObject({ delivery: { event: { payload: { a: 2 } } } });
  const dropped = await result(await script("drop.sh", "exit 1"));
  expect(dropped.first).toEqual({ kind: "dropped", transform: "drop.sh" });
  const failing = await script("fail.sh", "echo broken >&2; exit 3");
  const passed = await result(failing);
  expect(passed.first?.kind).toBe("delivered");
  expect(passed.passed).toEqual([
    { route: "first", transform: "fail.sh", error: expect.stringContaining("broken") },
  ]);
  expect((await result({ ...failing, on_error: "halt" })).first).toEqual({
    kind: "halted",
    transform: "fail.sh",
    error: expect.stringContaining("broken"),
  });
});

test("what a transform says is told without what its references stand for", async () => {
  const secret = "sk-live-0123456789";
  const transform: Transform = {
    execute: async () => {
      throw new Error(`401 for https://h.example/?t=${secret}`);
    },
  };
  const written = spec("t", {
    package: "test/transform/t",
    config: { url: "https://h.example/?t=${T}" },
    on_error: "halt",
  });
  const one = resolveReferences(written, { T: secret }).value;
  const lookup = lookupOf({ transforms: { t: transform } });
  const trial = trialOf({
    topology: topology([one]),
    written: [written],
    projectDir: "/",
    lookup,
  })();
  const { routes } = await trial.route(event("1"), 0);
  expect(JSON.stringify([...routes])).toContain("https://h.example/?t=***");
  expect(JSON.stringify([...routes])).not.toContain(secret);
  await trial.close();
});

test("a transform that cannot be started leaves its routes out, and says so; the others run", async () => {
  const broken = spec("once", { package: "@orgloop/transform-dedup", config: { window: "soon" } });
  const lookup = pluginLookup({ projectDir: import.meta.dirname });
  const options = { topology: topology([broken]), projectDir: import.meta.dirname, lookup };
  const trial = trialOf(options)();
  for (const id of ["1", "2"]) {
    const { routes, failed } = await trial.route(event(id), 0);
    expect([...routes.keys()]).toEqual(["second"]);
    expect(failed.get("first")).toMatch(/^transform "once" could not be started: /);
  }
  await trial.close();
});

test("transforms are closed with their trial", async () => {
  let closed = 0;
  const transform: Transform = {
    execute: async (given) => given,
    close: async () => void closed++,
  };
  const lookup = lookupOf({ transforms: { t: transform } });
  const one = topology([spec("t", { package: "test/transform/t" })]);
  const trial = trialOf({ topology: one, projectDir: "/", lookup })();
  await trial.route(event("1"), 0);
  await trial.close();
  expect(closed).toBe(1);
});

test("an event passes a filter as it passes a route's", () => {
  expect(eventPasses({ "payload.a": [{ prefix: "x" }] }, event("1", { a: "xy" }))).toBe(true);
  expect(eventPasses({ "payload.a": "x" }, event("1", { a: "xy" }))).toBe(false);
});
