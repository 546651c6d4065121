import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileDeadLetters } from "@orgloop/stores";
import { sampleDeadLetter } from "@orgloop/testkit";
import { expect, onTestFinished, test } from "vitest";
import { orgloop, startOrgLoop } from "../run-orgloop.ts";

const LETTERS = 15_000;
const BODY = "x".repeat(20_000);
/** Of the process and of each command, in MB: the letters have 300. */
const HEAP_MB = 96;

test("300 MB of dead letters are listed, tried and purged by a process and by commands of 96 MB", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-many-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const project = path.join(root, "project");
  const dataDir = path.join(root, "home/data");
  const env = {
    ORGLOOP_HOME: path.join(root, "home"),
    NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}`,
  };
  await mkdir(project);
  await writeFile(path.join(project, "orgloop.yaml"), JSON.stringify(MANIFEST));
  await fill(path.join(dataDir, "dead-letters"));

  const run = (...args: string[]) => orgloop([...args, "--config", project], env);
  const before = await run("dead-letters", "list", "--json");
  expect(JSON.parse(before.stdout)).toHaveLength(LETTERS);
  const table = await run("dead-letters", "list");
  expect(table.stdout.split("\n").filter((line) => line.startsWith("dl_"))).toHaveLength(LETTERS);

  const running = await startOrgLoop(project, env);
  onTestFinished(() => running.end("SIGKILL").then(() => undefined));
  const during = await run("dead-letters", "list", "--json");
  expect(during.stdout).toBe(before.stdout);
  const dryRuns = Array.from({ length: 3 }, () =>
    run("dead-letters", "replay", "--dry-run", "--json"),
  );
  for (const { stdout } of await Promise.all(dryRuns)) {
    expect(JSON.parse(stdout)).toMatchObject({ dry_run: true, matched: LETTERS });
  }
  const shown = await run("dead-letters", "show", "dl_14999", "--json");
  expect(JSON.parse(shown.stdout).event.payload.text).toBe(BODY);
  const purged = await run("dead-letters", "purge", "--yes", "--json");
  expect(JSON.parse(purged.stdout)).toEqual({ purged: LETTERS, under_way: 0 });
  expect((await stat(path.join(dataDir, "dead-letters/dead-letters.jsonl"))).size).toBeLessThan(
    1_000,
  );
  expect((await run("dead-letters", "list", "--json")).stdout.trim()).toBe("[]");
});

async function fill(dir: string): Promise<void> {
  const letters = await fileDeadLetters({ dir });
  for (let n = 0; n < LETTERS; n += 500) {
    const some = Array.from({ length: 500 }, (_, at) =>
      letters.put({ ...sampleDeadLetter(n + at, BODY), route: "review" }),
    );
    await Promise.all(some);
  }
  await letters.close();
}

const connector = "@orgloop/connector-webhook";
const MANIFEST = {
  apiVersion: "orgloop/v1alpha1",
  kind: "Project",
  metadata: { name: "many" },
  sources: [{ id: "hook", connector, config: {} }],
  actors: [{ id: "agent", connector, config: { url: "http://127.0.0.1:9/" } }],
  routes: [
    {
      name: "review",
      when: { source: "hook", events: ["resource.changed"] },
      then: { actor: "agent" },
    },
  ],
};
