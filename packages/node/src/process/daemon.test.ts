import { memoryBus } from "@orgloop/bus/memory";
import { expect, onTestFinished, test } from "vitest";
import { type Daemon, startDaemon } from "./daemon.ts";
import type { HostedProject, ProjectRequest } from "./hosted-project.ts";
import {
  eventually,
  jsonWebhook,
  lookupOf,
  recordingActor,
  route,
  TOKEN,
  temporaryDir,
  topologyOf,
} from "./process-fixture.ts";
import type { ProjectOptions } from "./project-options.ts";

const authorized = { headers: { authorization: `Bearer ${TOKEN}` } };

/** A project with a webhook source of its own name and one actor. */
async function project(name: string, change: Partial<ProjectOptions> = {}, source = name) {
  const agent = recordingActor();
  const parts = { sources: { [source]: jsonWebhook() }, actors: { agent } };
  const inbox = { inbox: true, session_key: "{{payload.session}}" };
  const to = { ...route("to-agent", source, "agent"), then: { actor: "agent", config: inbox } };
  const topology = { ...topologyOf(parts, [to], { bus: "file" }), project: name };
  const dataDir = await temporaryDir();
  const options: ProjectOptions = {
    topology,
    projectDir: dataDir,
    dataDir,
    env: {},
    lookup: lookupOf(parts),
    drainMs: 200,
    ...change,
  };
  return { agent, options };
}

async function hosting(...projects: readonly { readonly options: ProjectOptions }[]) {
  const gone: [string, string | null][] = [];
  const resolved: ProjectRequest[] = [];
  let next: ProjectOptions | null = null;
  const host: Daemon = await startDaemon({
    token: TOKEN,
    async resolve(request) {
      resolved.push(request);
      if (next === null) throw Object.assign(new Error("no such"), { code: "CONFIG_INVALID" });
      return next;
    },
    async onGone({ name, failure }: HostedProject) {
      gone.push([name, failure?.message ?? null]);
    },
  });
  onTestFinished(() => host.drain());
  const request = { projectDir: "/p" };
  for (const { options } of projects) await host.load(options, request);
  const url = `http://127.0.0.1:${host.address.port}`;
  const send = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`${url}${path}`, init);
    const text = await answer.text();
    return { status: answer.status, body: text.startsWith("#") ? text : JSON.parse(text) };
  };
  return {
    host,
    gone,
    resolved,
    send,
    resolveTo(options: ProjectOptions | null) {
      next = options;
    },
    read: async (path: string) => (await send(path)).body,
    post: (path: string, body: unknown) =>
      send(path, { method: "POST", body: JSON.stringify(body), ...authorized }),
  };
}

test("a project whose bus fails ends alone, is said to, and can be loaded again", async () => {
  const failed = Promise.withResolvers<Error>();
  const openBus = async () => Object.assign(memoryBus(), { failed: failed.promise });
  const ill = await project("ill", { openBus });
  const well = await project("well");
  const { host, gone, post, read } = await hosting(ill, well);
  failed.resolve(new Error("the disk is gone"));
  await eventually(() => expect(gone).toEqual([["ill", "the disk is gone"]]));
  expect(host.modules()).toMatchObject([
    { name: "ill", state: "error" },
    { name: "well", state: "active" },
  ]);
  expect(await read("/api/status")).toMatchObject({ health: "error" });
  expect((await read("/readyz")).ok).toBe(true);
  expect((await post("/webhook/well", { n: 1 })).status).toBe(200);
  expect((await post("/webhook/ill", { n: 1 })).status).toBe(503);
  await well.agent.until(1);

  await host.load((await project("ill")).options);
  expect((await post("/webhook/ill", { n: 1 })).status).toBe(200);
  expect(host.modules().map(({ state }) => state)).toEqual(["active", "active"]);
});

test("the process ends with its last project: with that one's failure, or with nothing after a drain", async () => {
  const failed = Promise.withResolvers<Error>();
  const openBus = async () => Object.assign(memoryBus(), { failed: failed.promise });
  const { host } = await hosting(await project("only", { openBus }));
  failed.resolve(new Error("the disk is gone"));
  expect((await host.closed)?.message).toBe("the disk is gone");

  const other = await hosting(await project("one"), await project("two"));
  await other.host.drain();
  expect(await other.host.closed).toBeUndefined();
  await expect(fetch(`http://127.0.0.1:${other.host.address.port}/healthz`)).rejects.toThrow();
  await expect(other.host.load((await project("three")).options)).rejects.toMatchObject({
    code: "DRAINING",
  });
});

test("load, unload and reload over HTTP; what is refused changes nothing", async () => {
  const one = await project("one");
  const { host, post, send, resolveTo, resolved, gone } = await hosting(one);
  const names = () => host.modules().map(({ name }) => name);
  expect(await post("/control/module/unload", { name: "one" })).toMatchObject({
    status: 409,
    body: { code: "LAST_MODULE" },
  });
  expect(await post("/control/module/load-project", {})).toMatchObject({ status: 400 });
  expect(
    await send("/control/module/load", { method: "POST", body: "{", ...authorized }),
  ).toMatchObject({ status: 400, body: { code: "INVALID_JSON" } });
  const request = { configPath: "/p/orgloop.yaml", projectDir: "/p", workspace: "staging" };
  expect(await post("/control/module/load-project", request)).toMatchObject({
    status: 422,
    body: { error: "no such", code: "CONFIG_INVALID" },
  });
  expect(resolved).toEqual([request]);

  const two = await project("two");
  resolveTo(two.options);
  expect(await post("/control/module/load-project", request)).toMatchObject({
    status: 200,
    body: { name: "two", state: "active" },
  });
  expect(await post("/control/module/load", request)).toMatchObject({
    status: 409,
    body: { code: "MODULE_EXISTS" },
  });
  resolveTo({ ...two.options, topology: { ...two.options.topology, workspace: "staging" } });
  expect(await post("/control/module/load", request)).toMatchObject({
    status: 409,
    body: {
      code: "MODULE_EXISTS",
      error:
        'the project "two" runs here already, in the workspace "default": start this one by --port in a process of its own',
    },
  });
  expect(names()).toEqual(["one", "two"]);

  // It cannot be read: it runs on. It is another by now: told. Then as it is now.
  resolveTo(null);
  expect((await post("/control/module/reload", { name: "two" })).status).toBe(422);
  resolveTo(one.options);
  expect((await post("/control/module/reload", { name: "two" })).body.code).toBe("MODULE_RENAMED");
  expect(gone).toEqual([]);
  const renewed = await project("two", {}, "renewed");
  resolveTo(renewed.options);
  expect((await post("/control/module/reload", { name: "two" })).status).toBe(200);
  expect((await post("/webhook/renewed", { n: 1 })).status).toBe(200);
  expect((await post("/webhook/two", { n: 1 })).status).toBe(404);
  await renewed.agent.until(1);

  expect((await post("/control/module/unload", { name: "three" })).status).toBe(404);
  expect((await post("/control/module/unload", { name: "one" })).status).toBe(200);
  expect(names()).toEqual(["two"]);
  expect((await send("/control/module/list")).status).toBe(401);
  expect((await send("/control/module/list", authorized)).body).toMatchObject({
    pid: process.pid,
    modules: [{ name: "two" }],
  });
  expect((await send("/control/module/status/one", authorized)).status).toBe(404);
});

test("a source that two projects have is one project's by its name; without it the sender is told", async () => {
  const [one, two] = [await project("one"), await project("two", {}, "one")];
  const { post, send } = await hosting(one, two);
  expect(await post("/webhook/one", { n: 1 })).toMatchObject({
    status: 409,
    body: { error: expect.stringMatching(/one, two/) },
  });
  expect((await post("/webhook/one?module=two", { n: 2 })).status).toBe(200);
  await two.agent.until(1);
  expect((await post("/webhook/one?module=three", { n: 3 })).status).toBe(404);
  expect(one.agent.got).toEqual([]);
  expect((await send("/readyz")).status).toBe(200);
});

test("while a listed project opens, and where it failed to, its webhooks are to come again", async () => {
  const opening = Promise.withResolvers<void>();
  const slow = await project("slow", {
    async openBus() {
      await opening.promise;
      return memoryBus();
    },
  });
  const { host, post, read } = await hosting(await project("well"));
  const webhook = async (source: string) => {
    const url = `http://127.0.0.1:${host.address.port}/webhook/${source}`;
    const { status, headers } = await fetch(url, { method: "POST", body: "{}" });
    return [status, headers.get("retry-after")];
  };
  expect(await webhook("slow")).toEqual([404, null]);
  host.expect([
    { name: "slow", sources: ["slow"] },
    { name: "unread", sources: ["hook"] },
  ]);
  expect(await webhook("slow")).toEqual([503, "5"]);
  expect(await webhook("nobody")).toEqual([503, "5"]);
  expect((await webhook("well"))[0]).toBe(200);
  const loaded = host.load(slow.options);
  expect(await webhook("slow")).toEqual([503, "5"]);
  expect((await read("/api/status")).modules).toMatchObject([
    { name: "well", state: "active" },
    { name: "slow", state: "starting" },
    { name: "unread", state: "starting" },
  ]);
  opening.resolve();
  await loaded;
  expect((await webhook("slow"))[0]).toBe(200);

  host.giveUp("unread", new Error("orgloop.yaml is gone"));
  expect(await webhook("hook")).toEqual([503, "5"]);
  expect(await webhook("nobody")).toEqual([404, null]);
  expect(await read("/api/status")).toMatchObject({
    health: "error",
    modules: [{}, {}, { name: "unread", state: "failed", error: "orgloop.yaml is gone" }],
  });
  expect((await post("/control/module/unload", { name: "unread" })).status).toBe(200);
  expect(await webhook("hook")).toEqual([404, null]);
});

test("a project that cannot be announced does not run, and can be loaded again", async () => {
  const failures = [new Error("ENOSPC: no space left on device, write")];
  const host = await startDaemon({
    token: TOKEN,
    async onLoaded({ name }) {
      const failure = name === "other" ? failures.pop() : undefined;
      if (failure !== undefined) throw failure;
    },
  });
  onTestFinished(() => host.drain());
  await host.load((await project("well")).options);
  const { options } = await project("other");
  await expect(host.load(options)).rejects.toThrow("ENOSPC");
  expect(host.modules().map(({ name }) => name)).toEqual(["well"]);
  await host.load(options);
  expect(host.modules().map(({ name }) => name)).toEqual(["well", "other"]);
});

test("what is for one project says which; the rest is answered by all", async () => {
  const one = await project("one");
  const two = await project("two");
  const { post, read, send } = await hosting(one, two);
  await post("/webhook/one", { n: 1 });
  await post("/webhook/two", { n: 2 });
  await Promise.all([one.agent.until(1), two.agent.until(1)]);

  const draft = [{ source: "two", payload: { n: 3 } }];
  const unclear = await post("/control/inject", draft);
  expect(unclear).toMatchObject({
    status: 400,
    body: { error: expect.stringMatching(/one, two/) },
  });
  expect((await post("/control/inject?module=three", draft)).status).toBe(400);
  expect((await post("/control/inject?module=two", draft)).status).toBe(200);
  await two.agent.until(2);

  expect(await read("/api/sources")).toMatchObject([
    { id: "one", module: "one" },
    { id: "two", module: "two" },
  ]);
  const events = await read("/api/events?limit=2");
  expect(events.map(({ module }: { module: string }) => module)).toEqual(["two", "two"]);
  expect(await read("/api/status?module=one")).toMatchObject({ project: "one" });
  expect(await send("/api/status?module=three")).toMatchObject({ status: 404 });
  expect(await read("/api/doctor")).toMatchObject({ status: "ok", checks: expect.any(Array) });
  expect(await send("/api/events?limit=-1")).toMatchObject({ status: 400 });
  expect((await send("/api/status", { method: "POST" })).status).toBe(405);
  expect(await read("/metrics")).toContain('orgloop_events_received_total{module="two"');
  expect((await send("/control/status", authorized)).body).toMatchObject({
    modules: [{ name: "one" }, { name: "two" }],
  });
});

test("Prometheus may have a port of its own, and nothing else is there", async () => {
  const one = await project("one");
  const host = await startDaemon({ token: TOKEN, metricsPort: 0 });
  onTestFinished(() => host.drain());
  await host.load(one.options);
  const url = `http://127.0.0.1:${host.metricsAddress?.port}`;
  expect(await (await fetch(`${url}/metrics`)).text()).toContain("orgloop_uptime_seconds");
  expect((await fetch(`${url}/api/status`)).status).toBe(404);
  const taken = startDaemon({ token: TOKEN, metricsPort: host.metricsAddress?.port as number });
  await expect(taken).rejects.toMatchObject({ code: "PORT_IN_USE" });
  await host.drain();
  await expect(fetch(`${url}/metrics`)).rejects.toThrow();
});

test("a session's inbox is found in whichever project has it, and left where an answer fails", async () => {
  const one = await project("one");
  const two = await project("two");
  const { post, read } = await hosting(one, two);
  for (let n = 0; n < 5; n += 1) await post("/webhook/two", { n, session: "s" });
  await post("/webhook/one", { n: 9, session: "s" });
  await eventually(async () =>
    expect(await read("/api/inbox/status?session_key=s")).toEqual({ pending: 6 }),
  );
  expect((await read("/api/inbox/list")).sessions).toEqual([
    { sessionKey: "s", pending: 1 },
    { sessionKey: "s", pending: 5 },
  ]);
  const drained = async (query = "") => {
    const { events } = await read(`/api/inbox/drain?session_key=s${query}`);
    return events.map(({ payload }: { payload: { n: number } }) => payload.n);
  };
  expect(await drained("&limit=3")).toEqual([9, 0, 1]);
  expect(await drained()).toEqual([2, 3, 4]);
  expect(await drained()).toEqual([]);
});
