import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { orgloop, startOrgLoop } from "../run-orgloop.ts";

const LIMIT = 256;

/** A process that may open few files, of a project with the webhook source `hook`. */
async function few(items: object) {
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-descriptors-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const project = path.join(root, "project");
  const env = { ORGLOOP_HOME: path.join(root, "home") };
  await mkdir(project);
  const manifest = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "few" },
    sources: [{ id: "hook", connector: "@orgloop/connector-webhook", config: {} }],
    ...items,
  };
  await writeFile(path.join(project, "orgloop.yaml"), JSON.stringify(manifest));
  const limited = ["sh", "-c", `ulimit -n ${LIMIT}; exec "$@"`, "sh"];
  const running = await startOrgLoop(project, env, limited);
  onTestFinished(async () => {
    await running.end("SIGKILL");
  });
  return {
    running,
    status: (...flags: string[]) => orgloop(["status", "--config", project, ...flags], env),
  };
}

test("silent connections keep nobody out where the process may open few files", async () => {
  const { running, status } = await few({
    actors: [
      { id: "records", connector: "@orgloop/connector-file", config: { path: "records.jsonl" } },
    ],
    routes: [
      {
        name: "keep",
        when: { source: "hook", events: ["resource.changed"] },
        then: { actor: "records" },
      },
    ],
  });

  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const { port, hostname } = new URL(running.url);
  for (let n = 0; n < 3 * LIMIT; n += 1) {
    const socket = connect(Number(port), hostname).on("error", () => undefined);
    sockets.push(socket);
    await once(socket, "connect");
  }

  expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
  for (let n = 0; n < 10; n += 1) {
    const sent = { method: "POST", body: JSON.stringify({ n }) };
    expect((await fetch(`${running.url}/webhook/hook`, sent)).status).toBe(200);
  }
  expect(await status()).toMatchObject({ code: 0, stdout: expect.stringContaining("few") });
});

test("actors that hang hold no more connections than their share, and what is well is delivered", async () => {
  const HUNG = 12;
  const MOST = LIMIT / 8;
  let [held, most, delivered] = [0, 0, 0];
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === "/well") {
      delivered += 1;
      response.end();
      return;
    }
    held += 1;
    most = Math.max(most, held);
    response.once("close", () => {
      held -= 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const names = [...Array.from({ length: HUNG }, (_, n) => `hung-${n}`), "well"];
  const { running, status } = await few({
    actors: names.map((id) => ({
      id,
      connector: "@orgloop/connector-webhook",
      config: { url: `${base}${id}` },
    })),
    routes: names.map((name) => ({
      name,
      when: { source: "hook", events: ["resource.changed"] },
      then: { actor: name, delivery: { order: "none", concurrency: 16 } },
    })),
  });
  const EVENTS = 20;
  for (let n = 0; n < EVENTS; n += 1) {
    const sent = { method: "POST", body: JSON.stringify({ n }) };
    expect((await fetch(`${running.url}/webhook/hook`, sent)).status).toBe(200);
  }
  await expect.poll(() => delivered, { timeout: 25_000 }).toBe(EVENTS);
  expect(most).toBeGreaterThan(HUNG);
  expect(most).toBeLessThanOrEqual(MOST);
  const { actors, dead_letters } = JSON.parse((await status("--json")).stdout);
  expect(dead_letters).toBe(0);
  const inFlight = actors.map(({ in_flight }: { in_flight: number }) => in_flight);
  expect(inFlight.reduce((sum: number, one: number) => sum + one, 0)).toBeLessThanOrEqual(MOST);
  expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
});
