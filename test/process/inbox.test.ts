import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { json } from "node:stream/consumers";
import type { OrgLoopEvent } from "@orgloop/sdk";
import { expect, onTestFinished, test } from "vitest";
import { orgloop, type RunningOrgLoop, startOrgLoop } from "../run-orgloop.ts";
import { serveTest } from "../serve-test.ts";

/** An agent's door: it hears of its inbox, and fetches by the command that it is told. */
async function agent() {
  const reported: OrgLoopEvent["payload"][] = [];
  const server = createServer(async (request, response) => {
    const { event } = (await json(request)) as { event: OrgLoopEvent };
    reported.push(event.payload);
    response.end();
  });
  return { reported, url: `http://127.0.0.1:${await serveTest(server)}/` };
}

interface Drained {
  readonly events: readonly { readonly payload: { readonly n: number } }[];
  readonly remaining: number;
}

test("an agent's events wait in its inbox, through SIGKILL, until it fetches them by the command it was told", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-inbox-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const project = path.join(root, "project");
  const env = { ORGLOOP_HOME: path.join(root, "home") };
  await mkdir(project);
  const { reported, url } = await agent();
  const webhook = "@orgloop/connector-webhook";
  const config = { inbox: true, session_key: "agent {{payload.repo}}", inbox_max_batch: 50 };
  const manifest = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "inbox" },
    sources: [{ id: "hook", connector: webhook, config: {} }],
    actors: [{ id: "agent", connector: webhook, config: { url } }],
    routes: [
      {
        name: "mail",
        when: { source: "hook", events: ["resource.changed"] },
        then: { actor: "agent", config },
      },
    ],
  };
  await writeFile(path.join(project, "orgloop.yaml"), JSON.stringify(manifest));
  const run = (...args: string[]) => orgloop([...args, "--config", project], env);
  let running: RunningOrgLoop = await startOrgLoop(project, env);
  onTestFinished(() => void running.child.kill("SIGKILL"));
  const post = async (n: number) => {
    const body = JSON.stringify({ repo: "acme/api", n });
    const answer = await fetch(`${running.url}/webhook/hook`, { method: "POST", body });
    expect(answer.status).toBe(200);
  };
  const waiting = async () =>
    JSON.parse((await run("inbox", "status", "--json")).stdout) as { sessions: object[] };

  for (let n = 0; n < 100; n += 1) await post(n);
  await running.end("SIGKILL");
  running = await startOrgLoop(project, env);
  for (let n = 100; n < 120; n += 1) await post(n);
  await expect
    .poll(waiting, { timeout: 20_000 })
    .toEqual({ sessions: [{ sessionKey: "agent acme/api", pending: 120 }] });
  await expect.poll(() => reported.length, { timeout: 20_000 }).toBeGreaterThan(0);
  // Once; a second time only where the process died before it knew that the first had got through.
  expect(reported.length).toBeLessThanOrEqual(2);
  expect(reported[0]).toMatchObject({
    kind: "inbox.notification",
    session_key: "agent acme/api",
    drain_command: "orgloop inbox drain --key 'agent acme/api' --format json",
  });

  const drain = async (...flags: string[]) => {
    const { code, stdout } = await run("inbox", "drain", "--key", "agent acme/api", ...flags);
    expect(code).toBe(0);
    return JSON.parse(stdout) as Drained;
  };
  const first = await drain("--format", "json");
  expect([first.events.length, first.remaining]).toEqual([50, 70]);
  const second = await drain("--limit", "100", "--json");
  const all = [...first.events, ...second.events].map(({ payload }) => payload.n);
  expect(all).toEqual(Array.from({ length: 120 }, (_, n) => n));

  await expect.poll(waiting, { timeout: 20_000 }).toEqual({ sessions: [] });
  const text = await run("inbox", "drain", "--key", "agent acme/api", "--format", "text");
  expect(text.stdout).toBe("Drained 0 events\n");
  expect((await run("inbox", "status", "--key", "nobody")).stdout).toBe("nobody: 0 waiting\n");
  expect((await run("inbox", "drain")).code).toBe(1);
  expect(await running.end("SIGTERM")).toBe(0);
  expect(await run("inbox", "status")).toMatchObject({ code: 1 });
});
