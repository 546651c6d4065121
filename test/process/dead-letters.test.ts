import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { json } from "node:stream/consumers";
import type { OrgLoopEvent } from "@orgloop/sdk";
import { expect, onTestFinished, test, vi } from "vitest";
import { orgloop, type RunningOrgLoop, startOrgLoop } from "../run-orgloop.ts";

interface Arrival {
  readonly n: unknown;
  readonly id: string;
  readonly replay: number;
  readonly header: string | undefined;
  readonly webhookId: string | undefined;
  readonly status: number;
}

/** A project with an actor that answers `state.status`, and the commands on it. */
async function acme(delivery: object = {}) {
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-letters-"));
  const project = path.join(root, "project");
  const env = { ORGLOOP_HOME: path.join(root, "home") };
  const arrivals: Arrival[] = [];
  const state = { status: 400, hang: false };
  const server = createServer(async (request, response) => {
    const { event } = (await json(request)) as { event: OrgLoopEvent };
    const header = (name: string) => request.headers[name]?.toString();
    const { status, hang } = state;
    arrivals.push({
      n: event.payload.n,
      id: event.id,
      replay: event.replay ?? 0,
      header: header("orgloop-replay"),
      webhookId: header("webhook-id"),
      status,
    });
    if (!hang) response.writeHead(status).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await mkdir(project);
  const url = `http://127.0.0.1:${port}/`;
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const connector = "@orgloop/connector-webhook";
  const manifest = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "acme" },
    sources: [{ id: "hook", connector, config: {} }],
    actors: [{ id: "agent", connector, config: { url, secret } }],
    transforms: [
      {
        name: "once",
        type: "package",
        package: "@orgloop/transform-dedup",
        config: { key: ["payload.n"], window: "1h" },
      },
    ],
    routes: [
      {
        name: "to-agent",
        when: { source: "hook", events: ["resource.changed"] },
        transforms: [{ ref: "once" }],
        then: { actor: "agent", delivery },
      },
    ],
  };
  await writeFile(path.join(project, "orgloop.yaml"), JSON.stringify(manifest));
  let running: RunningOrgLoop | null = null;
  onTestFinished(async () => {
    if (running !== null) await running.end("SIGKILL");
    server.closeAllConnections();
    server.close();
    await rm(root, { recursive: true, force: true });
  });
  const run = (...args: string[]) => orgloop([...args, "--config", project], env);
  return {
    arrivals,
    state,
    run,
    async json<T>(...args: string[]): Promise<T> {
      const { stdout, stderr } = await run(...args, "--json");
      if (stdout === "") throw new Error(stderr);
      return JSON.parse(stdout) as T;
    },
    async start() {
      running = await startOrgLoop(project, env);
    },
    async end(signal: NodeJS.Signals) {
      await running?.end(signal);
      running = null;
    },
    async post(n: number) {
      const body = JSON.stringify({ n });
      const response = await fetch(`${running?.url}/webhook/hook`, { method: "POST", body });
      expect(response.status).toBe(200);
    },
  };
}

interface Listed {
  readonly id: string;
  readonly event_id: string;
  readonly attempts: number;
  readonly reason: string;
}

const eventually = (check: () => void | Promise<void>) =>
  vi.waitFor(check, { timeout: 20_000, interval: 50 });

test("dead letters by the command line, with and without a process, over stop and kill", async () => {
  const it = await acme();
  const list = (...flags: string[]) => it.json<Listed[]>("dead-letters", "list", ...flags);
  expect(await list()).toEqual([]);
  await it.start();
  for (const n of [1, 2, 3]) await it.post(n);
  await eventually(async () => expect(await list()).toHaveLength(3));
  const letters = await list("--route", "to-agent", "--reason", "permanent", "--since", "10m");
  expect(letters.map((letter) => Object.keys(letter).join())).toEqual(
    Array(3).fill("id,event_id,route,actor,reason,attempts,first_at,last_at,last_error"),
  );
  expect(letters.map(({ event_id }) => event_id)).toEqual(it.arrivals.map(({ id }) => id));
  expect(await list("--actor", "other")).toEqual([]);
  expect(await list("--until", "10m")).toEqual([]);
  expect(await it.json("dead-letters", "show", letters[1]?.id ?? "")).toMatchObject({
    event: { id: letters[1]?.event_id, payload: { n: 2 } },
  });

  // A dry run counts and does nothing; an unknown id is an error.
  const dry = await it.run("dead-letters", "replay", "--dry-run");
  expect(dry).toMatchObject({ code: 0, stdout: "3 would be replayed.\n" });
  expect((await it.run("dead-letters", "replay", "dl_0")).code).toBe(1);
  expect(it.arrivals).toHaveLength(3);

  // It fails again: still one letter.
  expect((await it.run("dead-letters", "replay", letters[0]?.id ?? "")).code).toBe(0);
  await eventually(async () => expect((await list())[0]?.attempts).toBe(2));
  expect((await list()).map(({ id }) => id)).toEqual(letters.map(({ id }) => id));

  // The process is killed while the replay is under way: nothing is lost.
  it.state.hang = true;
  const seen = it.arrivals.length;
  expect((await it.run("dead-letters", "replay", "--route", "to-agent")).code).toBe(0);
  await eventually(() => expect(it.arrivals.length).toBeGreaterThan(seen));
  await it.end("SIGKILL");
  expect((await list()).map(({ id }) => id)).toEqual(letters.map(({ id }) => id));
  expect(await it.json("dead-letters", "show", letters[0]?.id ?? "")).toMatchObject({
    attempts: 2,
    event: { replay: 1 },
  });
  const offline = await it.run("dead-letters", "replay");
  expect(offline).toMatchObject({ code: 1, stderr: expect.stringContaining("orgloop start") });
  expect((await it.run("dead-letters", "purge")).code).toBe(1);
  const purged = await it.run("dead-letters", "purge", letters[2]?.id ?? "", "--yes");
  expect(purged).toMatchObject({ code: 0, stdout: "Deleted 1.\n" });

  // Mended: the others are delivered, in order, marked, under their own ids.
  Object.assign(it.state, { hang: false, status: 200 });
  await it.start();
  it.arrivals.length = 0;
  expect((await it.run("dead-letters", "replay", "--rate", "20/s")).code).toBe(0);
  await eventually(async () => expect(await list()).toEqual([]));
  expect(it.arrivals.map(({ n, id, replay, header }) => [n, id, replay, header])).toEqual([
    [1, letters[0]?.event_id, 2, "2"],
    [2, letters[1]?.event_id, 1, "1"],
  ]);
  expect(await it.json("status")).toMatchObject({ dead_letters: 0 });
  await it.end("SIGTERM");
});

test("recorded events are routed anew by id and by time: not swallowed by dedup, also after a restart", async () => {
  const it = await acme();
  it.state.status = 200;
  await it.start();
  for (const n of [1, 2, 2]) await it.post(n);
  await eventually(() => expect(it.arrivals).toHaveLength(2));
  const [first, second] = it.arrivals.splice(0);
  await it.end("SIGTERM");
  expect((await it.run("replay", "--since", "10m")).stderr).toContain("needs the running process");
  await it.start();
  expect((await it.run("replay")).code).toBe(1);
  expect(await it.json("replay", "--since", "10m", "--dry-run")).toMatchObject({ matched: 2 });
  expect((await it.run("replay", "--event", first?.id ?? "", "evt_none")).code).toBe(1);
  await eventually(() => expect(it.arrivals).toHaveLength(1));
  expect(it.arrivals[0]).toMatchObject({ n: 1, id: first?.id, replay: 1, header: "1" });
  // The third was a duplicate of the second, and is left out.
  expect((await it.run("replay", "--since", "10m", "--route", "to-agent")).code).toBe(0);
  await eventually(() => expect(it.arrivals).toHaveLength(3));
  expect(it.arrivals.slice(1).map(({ id, header }) => [id, header])).toEqual([
    [first?.id, "2"],
    [second?.id, "1"],
  ]);
  await eventually(async () => expect(await it.json("status")).toMatchObject({ unacked: 0 }));
  await it.end("SIGTERM");
});
