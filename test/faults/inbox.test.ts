import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { type RunningOrgLoop, startOrgLoop } from "../run-orgloop.ts";

const KILLS = 12;
const SESSIONS = ["a", "b c", "d'e"];

interface Drained {
  readonly events: readonly { readonly payload: { readonly n: number } }[];
}

/** Sends events to the sessions in turn, and drains at random; both go on through every kill. */
async function startWorld(url: () => string) {
  const answered = new Set<number>();
  const drained: number[] = [];
  const stop = new AbortController();
  let n = 0;
  const send = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const mine = n;
      n += 1;
      const body = JSON.stringify({ n: mine, session: SESSIONS[mine % SESSIONS.length] });
      const answer = await fetch(`${url()}/webhook/hook`, { method: "POST", body }).catch(
        () => null,
      );
      if (answer?.status === 200) answered.add(mine);
      if (answer === null) await wait(20);
      await answer?.arrayBuffer().catch(() => undefined);
    }
  };
  const drain = async (session: string, limit: number): Promise<number> => {
    const query = new URLSearchParams({ session_key: session, limit: String(limit) });
    const { events } = await fetch(`${url()}/api/inbox/drain?${query}`).then(
      (answer) => answer.json() as Promise<Drained>,
    );
    drained.push(...events.map(({ payload }) => payload.n));
    return events.length;
  };
  const drainAtRandom = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const session = SESSIONS[Math.floor(Math.random() * SESSIONS.length)] as string;
      await drain(session, 1 + Math.floor(Math.random() * 20)).catch(() => undefined);
      await wait(Math.random() * 60);
    }
  };
  const going = Promise.all([send(), send(), send(), drainAtRandom()]);
  return {
    answered,
    drained,
    drain,
    async end() {
      stop.abort();
      await going;
    },
  };
}

test(`through ${KILLS} kills, what was answered 200 is fetched from its inbox, and only what was in flight twice`, async () => {
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-inbox-kills-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const project = path.join(root, "project");
  await mkdir(project);
  const manifest = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "inbox" },
    sources: [{ id: "hook", connector: "@orgloop/connector-webhook", config: {} }],
    actors: [{ id: "agent", connector: "@orgloop/connector-file", config: { path: "told.jsonl" } }],
    routes: [
      {
        name: "mail",
        when: { source: "hook", events: ["resource.changed"] },
        then: { actor: "agent", config: { inbox: true, session_key: "{{payload.session}}" } },
      },
    ],
  };
  await writeFile(path.join(project, "orgloop.yaml"), JSON.stringify(manifest));
  const start = () => startOrgLoop(project, { ORGLOOP_HOME: path.join(root, "home") });
  let running: RunningOrgLoop = await start();
  onTestFinished(() => void running.child.kill("SIGKILL"));

  const world = await startWorld(() => running.url);
  for (let kills = 0; kills < KILLS; kills += 1) {
    await wait(200 + Math.random() * 600);
    await running.end("SIGKILL");
    running = await start();
  }
  await wait(500);
  await world.end();
  const health = async () =>
    (await fetch(`${running.url}/api/status`).then((it) => it.json())) as { unacked: number };
  await expect.poll(async () => (await health()).unacked, { timeout: 30_000 }).toBe(0);
  for (const session of SESSIONS) while ((await world.drain(session, 500)) > 0);

  const { answered, drained } = world;
  const fetched = new Set(drained);
  expect([...answered].filter((n) => !fetched.has(n))).toEqual([]);
  expect(answered.size).toBeGreaterThan(KILLS * 10);
  // Twice comes what a kill caught between its drain, or its entry, and the note of it: not the
  // rest.
  expect(drained.length - fetched.size).toBeLessThan(KILLS * 60);
});
