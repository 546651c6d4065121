import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { orgloop, startOrgLoop } from "../run-orgloop.ts";

/** An actor that answers, and rejects, throws or goes on later, where nobody listens. */
const PLUGIN = `
const config = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
const lateFault = () => void setTimeout(() => Promise.reject(new Error("late fault")), 5);
const deliver = async ({ payload }) => {
  if (payload.busy) setInterval(() => {}, 10);
  else if (payload.end) setTimeout(() => { throw new Error("nobody catches this"); }, 5);
  else for (let n = 0; n < 50; n += 1) lateFault();
};
export default { kind: "connector", id: "late", actor: { config, create: async () => ({ deliver }) } };
`;

async function start() {
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-unhandled-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const project = path.join(root, "project");
  const home = path.join(root, "home");
  const plugin = path.join(project, "node_modules", "late-actor");
  await mkdir(plugin, { recursive: true });
  await writeFile(path.join(plugin, "index.js"), PLUGIN);
  const described = { name: "late-actor", version: "1.0.0", type: "module", exports: "./index.js" };
  await writeFile(path.join(plugin, "package.json"), JSON.stringify(described));
  const manifest = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "unhandled" },
    sources: [{ id: "hook", connector: "@orgloop/connector-webhook", config: {} }],
    actors: [{ id: "late", connector: "late-actor", config: {} }],
    routes: [
      {
        name: "late",
        when: { source: "hook", events: ["resource.changed"] },
        then: { actor: "late" },
      },
    ],
  };
  await writeFile(path.join(project, "orgloop.yaml"), JSON.stringify(manifest));
  const running = await startOrgLoop(project, { ORGLOOP_HOME: home });
  const { child, url } = running;
  onTestFinished(() => void child.kill("SIGKILL"));
  const post = (body: object) =>
    fetch(`${url}/webhook/hook`, { method: "POST", body: JSON.stringify(body) });
  return { running, child, url, post, project, home };
}

test("a rejection that a plug-in leaves unhandled is logged with its stack, counted, and ends nothing; an exception ends the process", async () => {
  const { child, url, post, project, home } = await start();
  expect((await post({ n: 1 })).status).toBe(200);
  const metrics = async () => (await fetch(`${url}/metrics`)).text();
  await expect
    .poll(metrics, { timeout: 20_000 })
    .toContain("orgloop_unhandled_rejections_total 50");
  const dir = path.join(home, "data", "log");
  const texts = (await readdir(dir)).map((name) => readFile(path.join(dir, name), "utf8"));
  const lines = (await Promise.all(texts)).join("").split("\n");
  const reported = lines.filter((line) => line.includes("late fault"));
  expect(reported.length).toBeGreaterThan(0);
  expect(reported.length).toBeLessThan(50);
  expect(JSON.parse(reported[0] ?? "")).toMatchObject({
    phase: "system.error",
    error: expect.stringMatching(/late fault at .*late-actor/),
  });
  const list = await orgloop(["status", "--json", "--config", project], { ORGLOOP_HOME: home });
  expect(JSON.parse(list.stdout)).toMatchObject({ unacked: 0, dead_letters: 0 });

  const ended = new Promise((resolve) => child.once("exit", resolve));
  await post({ end: true });
  expect(await ended).not.toBe(0);
});

test("what a plug-in has left running does not keep a stopped process", async () => {
  const { running, post } = await start();
  expect((await post({ busy: true })).status).toBe(200);
  expect(await running.end("SIGTERM")).toBe(0);
});
