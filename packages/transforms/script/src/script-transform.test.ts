import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { OrgLoopEvent, TransformContext } from "@orgloop/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { scriptTransform } from "./script-transform.ts";

const event: OrgLoopEvent = {
  id: "evt_1",
  timestamp: "2026-11-01T00:00:00.000Z",
  source: "github",
  type: "resource.changed",
  provenance: { platform: "github" },
  payload: { text: "é😀" },
  trace_id: "trc_1",
};

let dir: string;
let projectDir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "orgloop-script-"));
  projectDir = join(dir, "project");
  await mkdir(projectDir);
});
afterAll(() => rm(dir, { recursive: true }));

let count = 0;
async function script(body: string, mode = 0o755): Promise<string> {
  const name = `script-${++count}.sh`;
  await writeFile(join(projectDir, name), `#!/bin/sh\n${body}\n`, { mode });
  return name;
}

const mask = (text: string) => text;

async function run(body: string, signal = new AbortController().signal) {
  const context: TransformContext = { route: "team/r", actor: "agent", signal };
  const transform = await scriptTransform({ script: await script(body) }, { projectDir, mask });
  return transform.execute(event, context);
}

describe("script", () => {
  test("the event on stdin, the new event on stdout", async () => {
    expect(await run("cat")).toEqual(event);
    expect(await run('echo \'{"id":"evt_2"}\'')).toEqual({ id: "evt_2" });
  });

  test.each(["exit 1", "cat > /dev/null", "echo; echo", "echo '{}'; exit 1"])(
    "%s drops",
    async (body) => {
      expect(await run(body)).toBeNull();
    },
  );

  test.each([
    ["echo broken >&2; exit 2", /exited with code 2: broken/],
    ["exit 78", /code 78/],
    ["kill -9 $$", /ended by SIGKILL/],
    ["echo '{'", /no JSON/],
    ['printf \'{"name":"J\\374rgen"}\'', /no JSON: it is not UTF-8/],
    ["echo '[1]'", /no event/],
    ["yes", /more than 10485760 bytes/],
  ])("%s fails", async (body, message) => {
    await expect(run(body)).rejects.toThrow(message);
  });

  test("many events of a route do not start as many processes at once", async () => {
    await mkdir(join(projectDir, "running"));
    const body = `touch running/$$; ls running | wc -l >> counts; cat; rm running/$$`;
    const transform = await scriptTransform({ script: await script(body) }, { projectDir, mask });
    const { signal } = new AbortController();
    const run = () => transform.execute(event, { route: "r", actor: "agent", signal });
    const pooled = () => transform.pool?.run("r", run, signal);
    const results = await Promise.all(Array.from({ length: 60 }, pooled));
    expect(results).toEqual(results.map(() => event));
    const counts = (await readFile(join(projectDir, "counts"), "utf8")).trim().split("\n");
    expect(counts).toHaveLength(60);
    expect(Math.max(...counts.map(Number))).toBeLessThanOrEqual(
      Math.max(8, 4 * availableParallelism()) / 2,
    );
  });

  test("v1alpha1's variables, and the process's own", async () => {
    const body = `printf '{"v":"%s"}' "$ORGLOOP_SOURCE $ORGLOOP_TARGET $ORGLOOP_EVENT_TYPE $ORGLOOP_EVENT_ID $ORGLOOP_ROUTE \${PATH:+path}"`;
    expect(await run(body)).toEqual({ v: "github agent resource.changed evt_1 team/r path" });
  });

  test("an abort ends the whole process group", async () => {
    const stop = new AbortController();
    const pipe = join(projectDir, "pipe");
    await run(`mkfifo ${pipe}`);
    const running = run(`exec 3> ${pipe}; echo started >&3; sleep 60 & wait`, stop.signal);
    const held = createReadStream(pipe);
    await once(held, "data");
    const end = once(held.resume(), "end");
    stop.abort(new Error("after 30 s"));
    await expect(running).rejects.toThrow("was stopped: after 30 s");
    // The pipe ends when the last process that has it open has ended: the child of the script.
    await end;
  });

  test("a big event to a script that reads nothing", async () => {
    const path = await script("exit 0");
    const transform = await scriptTransform({ script: path }, { projectDir, mask });
    const big = { ...event, payload: { text: "x".repeat(2_000_000) } };
    const signal = new AbortController().signal;
    expect(await transform.execute(big, { route: "r", actor: "a", signal })).toBeNull();
  });

  test("a script that is missing, not executable, or outside the project is refused", async () => {
    const open = (path: string) => scriptTransform({ script: path }, { projectDir, mask });
    await writeFile(join(dir, "outside.sh"), "#!/bin/sh\n", { mode: 0o755 });
    await symlink(join(dir, "outside.sh"), join(projectDir, "link.sh"));
    await expect(open("missing.sh")).rejects.toThrow(/missing.sh cannot be run/);
    await expect(open(await script("cat", 0o644))).rejects.toThrow(/EACCES/);
    await expect(open("../outside.sh")).rejects.toThrow(/outside the project/);
    await expect(open("link.sh")).rejects.toThrow(/outside the project/);
    await expect(open(join(dir, "outside.sh"))).resolves.toBeDefined();
  });
});
