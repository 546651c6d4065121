import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { orgloop, type RunningOrgLoop, startOrgLoop } from "../run-orgloop.ts";

interface Listed {
  readonly event_id: string;
  readonly reason: string;
  readonly attempts: number;
}

test("an event that ends the process every time becomes a dead letter; a drain counts for nothing", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-poison-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const project = path.join(root, "project");
  const env = { ORGLOOP_HOME: path.join(root, "home") };
  await mkdir(project);
  // What it starts runs in a group of its own: its parent is the process.
  const command = 'case "$ORGLOOP_EVENT_ID" in evt_killer) kill -9 $PPID;; esac; sleep 30';
  const delivery = { order: "none", timeout: "2s", retry: { max_attempts: 2 } };
  const manifest = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "poison" },
    sources: [{ id: "hook", connector: "@orgloop/connector-webhook", config: {} }],
    actors: [
      { id: "exec", connector: "@orgloop/connector-exec", config: { command, shell: true } },
    ],
    routes: [
      {
        name: "run",
        when: { source: "hook", events: ["resource.changed"] },
        then: { actor: "exec", delivery },
      },
    ],
  };
  await writeFile(path.join(project, "orgloop.yaml"), JSON.stringify(manifest));
  const run = (...args: string[]) => orgloop([...args, "--config", project], env);
  const start = () => startOrgLoop(project, env);
  const inject = async (id: string) => {
    const file = path.join(root, `${id}.json`);
    await writeFile(file, JSON.stringify({ id, source: "hook", payload: {} }));
    return run("inject", file);
  };
  const died = async (starting: Promise<RunningOrgLoop>) => {
    const running = await starting.catch(() => null);
    if (running === null) return;
    const { child } = running;
    if (child.exitCode === null && child.signalCode === null) {
      await new Promise((resolve) => child.once("exit", resolve));
    }
  };

  // It comes back after each of three drains: nothing to hold against it.
  let running = await start();
  expect((await inject("evt_slow")).code).toBe(0);
  for (let drains = 0; drains < 3; drains += 1) {
    expect(await running.end("SIGTERM")).toBe(0);
    running = await start();
  }
  const list = async () =>
    JSON.parse((await run("dead-letters", "list", "--json")).stdout) as Listed[];
  expect(await list()).toEqual([]);

  await inject("evt_killer");
  await died(Promise.resolve(running));
  // Now both come back. Two attempts are watched; the one after that is not made.
  await died(start());
  await died(start());
  running = await start();
  onTestFinished(() => void running.child.kill("SIGKILL"));
  await expect
    .poll(list, { timeout: 20_000 })
    .toContainEqual(
      expect.objectContaining({ event_id: "evt_killer", reason: "poison", attempts: 2 }),
    );
  expect((await list()).filter(({ reason }) => reason === "poison")).toHaveLength(1);
  expect(await (await fetch(`${running.url}/healthz`)).json()).toEqual({ ok: true });
  await running.end("SIGKILL");
});
