import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { orgloop, startOrgLoop } from "../run-orgloop.ts";

/**
 * An actor that takes every descriptor that there is, and gives them back a second and a half
 * later.
 */
const HOARDER = `
import { closeSync, openSync } from "node:fs";
const config = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
async function deliver() {
  const taken = [];
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {}
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  for (const one of taken) closeSync(one);
}
export default { kind: "connector", id: "hoarder", actor: { config, create: async () => ({ deliver }) } };
`;
const ACTORS = ["hoarder", "web", "command", "file"];

test("what could not be sent for want of descriptors is no attempt: it is delivered when there are some", async () => {
  let received = 0;
  const server = createServer((request, response) => {
    received += 1;
    request.resume();
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-no-descriptors-"));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await rm(root, { recursive: true, force: true });
  });
  const project = path.join(root, "project");
  const home = path.join(root, "home");
  const plugin = path.join(project, "node_modules", "hoarder");
  await mkdir(plugin, { recursive: true });
  await writeFile(path.join(plugin, "index.js"), HOARDER);
  const described = { name: "hoarder", version: "1.0.0", type: "module", exports: "./index.js" };
  await writeFile(path.join(plugin, "package.json"), JSON.stringify(described));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const manifest = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "crowded" },
    defaults: { delivery: { retry: { max_attempts: 1 } } },
    sources: [{ id: "hook", connector: "@orgloop/connector-webhook", config: {} }],
    actors: [
      { id: "hoarder", connector: "hoarder", config: {} },
      { id: "web", connector: "@orgloop/connector-webhook", config: { url } },
      {
        id: "command",
        connector: "@orgloop/connector-exec",
        config: { command: "echo done >> command.txt", shell: true, env: [] },
      },
      { id: "file", connector: "@orgloop/connector-file", config: { path: "file.jsonl" } },
    ],
    routes: ACTORS.map((actor) => ({
      name: actor,
      when: { source: "hook", events: ["resource.changed"] },
      then: { actor },
    })),
  };
  await writeFile(path.join(project, "orgloop.yaml"), JSON.stringify(manifest));
  const limited = ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh"];
  const running = await startOrgLoop(project, { ORGLOOP_HOME: home }, limited);
  onTestFinished(() => void running.child.kill("SIGKILL"));

  const sent = { method: "POST", body: JSON.stringify({ n: 1 }) };
  expect((await fetch(`${running.url}/webhook/hook`, sent)).status).toBe(200);
  const out = (name: string) => readFile(path.join(project, name), "utf8").catch(() => "");
  const soon = { timeout: 60_000 };
  await expect.poll(() => received, soon).toBe(1);
  await expect.poll(() => out("command.txt"), soon).toBe("done\n");
  await expect.poll(() => out("file.jsonl"), soon).toContain('"n":1');
  const status = async () =>
    (await orgloop(["status", "--json", "--config", project], { ORGLOOP_HOME: home })).stdout;
  // A line is in the file before the log calls its delivery settled.
  await expect.poll(status, soon).toMatch(/"unacked": 0,/);
  expect(JSON.parse(await status())).toMatchObject({ unacked: 0, dead_letters: 0 });
  const log = path.join(home, "data", "log");
  const texts = (await readdir(log)).map((name) => readFile(path.join(log, name), "utf8"));
  expect((await Promise.all(texts)).join("")).toMatch(/EMFILE.*"deliver\.retry"/);
});
