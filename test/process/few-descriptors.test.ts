import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { orgloop, startOrgLoop } from "../run-orgloop.ts";

const LIMIT = 256;

test("silent connections keep nobody out where the process may open few files", async () => {
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
  };
  await writeFile(path.join(project, "orgloop.yaml"), JSON.stringify(manifest));
  const limited = ["sh", "-c", `ulimit -n ${LIMIT}; exec "$@"`, "sh"];
  const running = await startOrgLoop(project, env, [], limited);
  onTestFinished(async () => {
    await running.end("SIGKILL");
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
  const status = await orgloop(["status", "--config", project], env);
  expect(status).toMatchObject({ code: 0, stdout: expect.stringContaining("few") });
});
