import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LogEntry, OrgLoopEvent } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { jsonWebhook, route, startFixture, temporaryDir } from "../process/process-fixture.ts";
import {
  type Configured,
  configured,
  hook,
  partMaker,
  recording,
  running,
} from "./apply-fixture.ts";

test("what is added runs at once, what stays is not touched, and the state counts on", async () => {
  const first = { ...hook, actors: { a: {} }, routes: [route("one", "hook", "a")] };
  const { apply, send, made, record, process, state } = await running(first);
  await send();
  await record.reached(1);
  const next = {
    sources: { hook: {}, "team/two": {} },
    actors: { a: {}, b: {} },
    routes: [...first.routes, route("two", "team/two", "b")],
  };
  const { serial, hash, summary } = await apply(next);
  expect(summary).toBe("1 source added, 1 actor added, 1 route added");
  expect(await state()).toMatchObject({ serial, hash, topology: configured(next) });
  expect(serial).toBe(2);
  expect(made.toSorted()).toEqual(["actor a", "actor b", "source hook", "source team/two"]);
  await send({}, "team/two");
  await send();
  await record.reached(3);
  expect(record.got.toSorted()).toEqual(["a@1: 1", "a@1: 3", "b@1: 2"]);
  expect(process.status()).toMatchObject({
    sources: [
      { id: "hook", events: 2 },
      { id: "team/two", events: 1 },
    ],
    routes: [
      { name: "one", matched: 2 },
      { name: "two", matched: 1 },
    ],
    actors: [{ id: "a" }, { id: "b" }],
  });
});

test("nothing to change changes nothing: the same serial, the same parts", async () => {
  const first = { ...hook, actors: { a: {} }, routes: [route("one", "hook", "a")] };
  const { apply, made, state } = await running(first);
  const before = await state();
  const madeBefore = [...made];
  const answer = await apply(first);
  expect(answer).toMatchObject({ serial: 1, summary: expect.stringMatching(/^No changes/) });
  expect(await state()).toEqual(before);
  expect(made).toEqual(madeBefore);
});

test("a changed actor gets what waits; attempts in flight end on the one they began with, which is closed then", async () => {
  const at = (version: number) => ({
    ...hook,
    actors: { a: { version }, same: {} },
    routes: [route("one", "hook", "a")],
  });
  const { apply, send, made, record, settled } = await running(at(1));
  const held = record.hold(1);
  for (const key of ["k", "k", "other"]) await send({ key });
  await record.reached(1);
  await apply(at(2));
  await send({ key: "k" });
  await send({ key: "other" });
  await record.reached(2);
  expect(made).not.toContain("close actor a");
  held.resolve();
  await settled();
  expect(record.got).toEqual(["a@1: 3", "a@2: 5", "a@1: 1", "a@2: 2", "a@2: 4"]);
  await expect.poll(() => made.filter((one) => one.startsWith("close"))).toEqual(["close actor a"]);
});

test("a removed actor gets what was queued for it, in order, and is closed then", async () => {
  const first = { ...hook, actors: { a: {} }, routes: [route("one", "hook", "a")] };
  const { apply, send, made, record, process, settled } = await running(first);
  const held = record.hold(1);
  for (let n = 0; n < 3; n += 1) await send({ key: "k" });
  await expect.poll(() => process.status().actors[0]?.queued).toBe(2);
  await apply(hook);
  expect(process.status().actors).toEqual([]);
  expect(await process.entry("module.unloading")).toMatchObject({ target: "a", queue_depth: 2 });
  await send();
  expect(made).not.toContain("close actor a");
  held.resolve();
  await settled();
  expect(record.got).toEqual(["a@1: 1", "a@1: 2", "a@1: 3"]);
  await expect.poll(() => made).toContain("close actor a");
  expect(await process.entry("module.removed")).toMatchObject({ target: "a" });
});

test("an actor that comes back while it drains goes on", async () => {
  const first = { ...hook, actors: { a: {} }, routes: [route("one", "hook", "a")] };
  const { apply, send, made, record, process, settled } = await running(first);
  const held = record.hold(1);
  for (let n = 0; n < 2; n += 1) await send({ key: "k" });
  await expect.poll(() => process.status().actors[0]?.queued).toBe(1);
  await apply(hook);
  await apply(first);
  await send({ key: "k" });
  held.resolve();
  await settled();
  expect(record.got).toEqual(["a@1: 1", "a@1: 2", "a@1: 3"]);
  await expect.poll(() => made.filter((one) => one === "close actor a")).toHaveLength(1);
  expect(process.entries.filter(({ phase }) => phase === "module.removed")).toEqual([]);
});

test("what was matched is delivered as it was matched: prompt, config and policy", async () => {
  const at = (n: number, timeout: string): Configured => ({
    ...hook,
    actors: { a: {} },
    routes: [
      {
        ...route("one", "hook", "a", { timeout }),
        then: { actor: "a", config: { title: `title ${n}` } },
        with: { prompt_file: "p.md", prompt: { file: "p.md", text: `text ${n}`, meta: null } },
      },
    ],
  });
  const { apply, send, record, settled, process } = await running(at(1, "10s"));
  const held = record.hold(1);
  await send({ key: "k" });
  await send({ key: "k" });
  await expect.poll(() => process.status().actors[0]?.queued).toBe(1);
  await apply(at(2, "20s"));
  await send({ key: "k" });
  held.resolve();
  await settled();
  const seen = record.contexts.map(({ config, prompt }) => [config.title, prompt?.text]);
  expect(seen).toEqual([
    ["title 1", "text 1"],
    ["title 1", "text 1"],
    ["title 2", "text 2"],
  ]);
});

test("an event is routed wholly under one configuration; its transforms stay open until then", async () => {
  const entered = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const ran: string[] = [];
  const transform = (id: string, { version }: { readonly version?: unknown }) => ({
    async execute(event: OrgLoopEvent) {
      ran.push(`${id}@${version}`);
      if (event.payload.n === 1 && id === "first") {
        entered.resolve();
        await held.promise;
      }
      return event;
    },
  });
  const at = (version: number): Configured => ({
    ...hook,
    actors: { a: {} },
    transforms: { first: { version }, second: { version } },
    routes: [{ ...route("one", "hook", "a"), transforms: [{ ref: "first" }, { ref: "second" }] }],
  });
  const { apply, send, made, settled } = await running(at(1), { transform });
  await send();
  await entered.promise;
  await apply(at(2));
  await send();
  expect(made.filter((one) => one.startsWith("close"))).toEqual([]);
  held.resolve();
  await settled();
  expect(ran).toEqual(["first@1", "second@1", "first@2", "second@2"]);
  await expect
    .poll(() => made.filter((one) => one.startsWith("close")).toSorted())
    .toEqual(["close transform first", "close transform second"]);
});

test("a route that goes still delivers what it matched; another takes over at once", async () => {
  const first = { ...hook, actors: { a: {}, b: {} }, routes: [route("old", "hook", "a")] };
  const { apply, send, record, settled, process } = await running(first);
  const held = record.hold(1);
  await send({ key: "k" });
  await send({ key: "k" });
  await expect.poll(() => process.status().actors[0]?.queued).toBe(1);
  await apply({ ...first, routes: [route("new", "hook", "b")] });
  await send({ key: "k" });
  await record.reached(1);
  held.resolve();
  await settled();
  expect(record.got).toEqual(["b@1: 3", "a@1: 1", "a@1: 2"]);
});

test("a changed route keeps its order although its key is made otherwise now", async () => {
  const by = (key: string): Configured => ({
    ...hook,
    actors: { a: {} },
    routes: [route("one", "hook", "a", { key })],
  });
  const { apply, send, record, settled, process } = await running(by("payload.x"));
  const held = record.hold(1);
  await send({ x: 1, y: 1 });
  await expect.poll(() => process.status().actors[0]?.in_flight).toBe(1);
  await apply(by("payload.y"));
  await send({ x: 2, y: 1 });
  await expect.poll(() => process.status().actors[0]?.queued).toBe(1);
  held.resolve();
  await settled();
  expect(record.got).toEqual(["a@1: 1", "a@1: 2"]);
});

test("where it cannot be made to run nothing changes, and what was made for it is closed", async () => {
  const first = { ...hook, actors: { a: {} }, routes: [route("one", "hook", "a")] };
  const { apply, send, made, fails, record, process, state } = await running(first);
  const before = await state();
  fails.add("bad");
  await expect(
    apply({ ...first, actors: { a: { v: 2 }, good: {}, bad: {} } }),
  ).rejects.toMatchObject({
    code: "PLUGINS_FAILED",
    message: expect.stringContaining('actor "bad": bad is out of order'),
  });
  expect(made.slice(2).toSorted()).toEqual([
    "actor a",
    "actor good",
    "close actor a",
    "close actor good",
  ]);
  const unknown = { ...route("two", "hook", "a"), transforms: [{ ref: "none" }] };
  await expect(
    apply({ ...first, actors: { a: {}, b: {} }, routes: [unknown] }),
  ).rejects.toMatchObject({
    code: "UNKNOWN_TRANSFORM",
  });
  expect(made.slice(-2)).toEqual(["actor b", "close actor b"]);
  await expect(apply({ ...first, bus: "file" })).rejects.toMatchObject({
    code: "RESTART_NEEDED",
    message: expect.stringContaining("bus changes"),
  });
  expect(await state()).toEqual(before);
  expect(process.entries.filter(({ phase }) => phase === "module.error")).toHaveLength(3);
  await send();
  await record.reached(1);
});

test("where the disk does not take the state nothing changes", async () => {
  const first = { ...hook, actors: { a: {} }, routes: [route("one", "hook", "a")] };
  const { apply, send, made, record, process } = await running(first);
  const file = join(process.dataDir, "state.json");
  await rm(file);
  await mkdir(join(file, "in-the-way"), { recursive: true });
  const next = { ...first, actors: { a: { version: 2 } } };
  await expect(apply(next)).rejects.toMatchObject({ code: "EISDIR" });
  expect(made.slice(-2)).toEqual(["actor a", "close actor a"]);
  await send();
  await record.reached(1);
  await rm(file, { recursive: true });
  expect(await apply(next)).toMatchObject({ serial: 2 });
  await send();
  await record.reached(2);
  expect(record.got).toEqual(["a@1: 1", "a@2: 2"]);
});

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: references of the language
test("the project's .env is read again: a new value makes the part anew, a missing one is named", async () => {
  const projectDir = await temporaryDir();
  await writeFile(join(projectDir, ".env"), "VERSION=1\n");
  const first = {
    ...hook,
    actors: { a: { version: "${VERSION}" } },
    routes: [route("one", "hook", "a")],
  };
  const record = recording();
  const { lookup } = partMaker({ source: jsonWebhook, actor: record.actor });
  const process = await startFixture(configured(first), {}, { lookup, projectDir });
  const send = (n: number) => process.post("/webhook/hook", { n });
  await send(1);
  await record.reached(1);
  await writeFile(join(projectDir, ".env"), "VERSION=2\n");
  expect(await process.apply(configured(first))).toMatchObject({
    serial: 1,
    summary: expect.stringMatching(/^No changes/),
    renewed: ['actor "a"'],
  });
  await send(2);
  await record.reached(2);
  expect(record.got).toEqual(["a@1: 1", "a@2: 2"]);
  const wanting = configured({ ...first, sources: { hook: { secret: "${NOT_SET}" } } });
  await expect(process.apply(wanting)).rejects.toMatchObject({
    code: "MISSING_VARIABLES",
    message: expect.stringContaining('NOT_SET: source "hook"'),
  });
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: references of the language

test("another reach makes everything anew, which is no new value of a variable", async () => {
  const first = configured({ ...hook, actors: { a: {} }, routes: [route("one", "hook", "a")] });
  const { process, made } = await running({
    ...hook,
    actors: { a: {} },
    routes: [route("one", "hook", "a")],
  });
  const next = { ...first, network: { allow_private: ["127.0.0.0/8"] } };
  expect(await process.apply(next)).toMatchObject({ serial: 2, renewed: [] });
  expect(made.filter((one) => one === "actor a")).toHaveLength(2);
});

test("applies come one at a time, each from the state that the one before has left", async () => {
  const first = { ...hook, actors: { a: {} }, routes: [route("one", "hook", "a")] };
  const { process, state } = await running(first);
  const start = await state();
  const expect1 = { serial: 1, hash: start?.hash ?? "" };
  const [one, two, three] = await Promise.allSettled([
    process.apply(configured({ ...first, actors: { a: {}, b: {} } }), expect1),
    process.apply(configured({ ...first, actors: { a: {}, c: {} } }), expect1),
    process.apply(configured({ ...first, actors: { a: {}, d: {} } })),
  ]);
  expect(one).toMatchObject({ value: { serial: 2 } });
  expect(two).toMatchObject({ reason: { code: "STATE_MISMATCH" } });
  expect(String((two as PromiseRejectedResult).reason)).toMatch(/serial 1 \(.*serial 2 \(/);
  expect(three).toMatchObject({
    value: { serial: 3, summary: "1 actor added, 1 actor removed" },
  });
});

test("nothing is applied to a process that stops", async () => {
  const { process, apply } = await running(hook);
  await process.drain();
  await expect(apply({})).rejects.toMatchObject({ code: "DRAINING" });
});

test("loggers change too: a new one hears what follows, one that is gone is closed", async () => {
  const heard: LogEntry[] = [];
  const { apply, send, made, settled } = await running(
    { ...hook, loggers: { old: {}, same: {} } },
    { logger: (entry) => void heard.push(entry) },
  );
  await apply({ ...hook, loggers: { same: {}, new: {} } });
  await expect.poll(() => made).toContain("close logger old");
  heard.length = 0;
  await send();
  await settled();
  expect(heard.filter(({ phase }) => phase === "source.emit")).toHaveLength(2);
  expect(made.filter((one) => one.includes("same"))).toEqual(["logger same"]);
});
