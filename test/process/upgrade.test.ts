import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { orgloop, startOrgLoop } from "../run-orgloop.ts";
import { serveTest } from "../serve-test.ts";

const FIXTURE = fileURLToPath(new URL("../fixtures/data-b0cfe0b", import.meta.url));

/** The project of the fixture with a copy of its data directory, `killed` or `stopped`. */
async function copied(data: string) {
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-upgrade-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const project = path.join(root, "project");
  const dataDir = path.join(root, "home", "data");
  await mkdir(path.join(project, "node_modules"), { recursive: true });
  await cp(path.join(FIXTURE, "orgloop.yaml"), path.join(project, "orgloop.yaml"));
  const connector = path.join(project, "node_modules", "feed-connector");
  await cp(path.join(FIXTURE, "feed-connector"), connector, { recursive: true });
  await cp(path.join(FIXTURE, data), dataDir, { recursive: true });
  // What waits in its inbox expires an hour after the fixture was made.
  const inbox = path.join(dataDir, "inbox/inbox.jsonl");
  const later = new Date(Date.now() + 3_600_000).toISOString();
  const lines = (await readFile(inbox, "utf8")).replace(/("expires_at":")[^"]+/g, `$1${later}`);
  await writeFile(inbox, lines);
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.end(request.method === "GET" ? "[]" : ""));
  });
  const url = `http://127.0.0.1:${await serveTest(server)}/`;
  const env = {
    ORGLOOP_HOME: path.join(root, "home"),
    ...{ FEED_URL: url, UP_URL: url, REFUSES_URL: url },
  };
  const run = (...args: string[]) => orgloop([...args, "--config", project], env);
  return { project, dataDir, env, run };
}

interface Told {
  readonly unacked: number;
  readonly dead_letters: number;
  readonly sources: readonly { readonly id: string; readonly checkpoint: string | null }[];
}

test("a data directory of the release before opens with all it holds, and again after that", async () => {
  for (const [data, unacked, inbox] of [
    ["killed", 7, 5],
    ["stopped", 6, 4],
  ] as const) {
    const { project, dataDir, env, run } = await copied(data);
    for (let start = 0; start < 2; start += 1) {
      const running = await startOrgLoop(project, env);
      onTestFinished(() => void running.child.kill("SIGKILL"));
      const status = JSON.parse((await run("status", "--json")).stdout) as Told;
      expect(status, data).toMatchObject({ unacked, dead_letters: 3 });
      expect(status.sources.find(({ id }) => id === "feed")?.checkpoint).toBe("5");
      const letters = JSON.parse((await run("dead-letters", "list", "--json")).stdout);
      expect(letters).toMatchObject([
        { reason: "permanent", route: "to-refuses" },
        { reason: "permanent", route: "to-refuses" },
        { reason: "permanent", route: "to-refuses" },
      ]);
      const { sessions } = JSON.parse((await run("inbox", "status", "--json")).stdout) as {
        sessions: { pending: number }[];
      };
      expect(sessions.reduce((sum, { pending }) => sum + pending, 0)).toBe(inbox);
      expect(await running.end("SIGTERM")).toBe(0);
      const format = JSON.parse(await readFile(path.join(dataDir, "format.json"), "utf8"));
      expect(format).toMatchObject({ format: 2 });
      expect(format.files).toContain("wal");
      expect((await run("wal", "verify")).code).toBe(0);
    }
    const plan = await run("plan");
    expect(plan.stdout).toContain("No changes.");
  }
});

test("data of a newer release are refused, and left as they are", async () => {
  const { project, dataDir, env } = await copied("stopped");
  const file = path.join(dataDir, "format.json");
  await writeFile(file, '{"format":3}\n');
  await expect(startOrgLoop(project, env)).rejects.toThrow(
    /was written by a newer release \(format 3, this one knows 2\)/,
  );
  expect(await readFile(file, "utf8")).toBe('{"format":3}\n');
});
