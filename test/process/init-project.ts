import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { orgloop, type RunningOrgLoop, startOrgLoop } from "../run-orgloop.ts";

/** What `plan` says where nothing is to be changed. */
export const NO_CHANGES = "No changes. The running state matches the configuration.";

/**
 * A project as `orgloop init` makes it, anew for each test of the file, with an `ORGLOOP_HOME` of
 * its own beside it.
 */
export function initProject() {
  let root = "";
  let project = "";
  let env: NodeJS.ProcessEnv = {};
  const running: RunningOrgLoop[] = [];

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), "orgloop-init-"));
    project = path.join(root, "acme");
    env = { ORGLOOP_HOME: path.join(root, "home"), ORGLOOP_PORT: "0", NO_COLOR: "1" };
    expect(await orgloop(["init", project], env)).toMatchObject({ code: 0 });
  });
  afterEach(async () => {
    for (const { child, end } of running.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) await end("SIGKILL");
    }
    await rm(root, { recursive: true });
  });

  const run = (...args: string[]) => orgloop([...args, "-c", project], env);
  return {
    /** The folder that holds the project and its `home`. */
    get root() {
      return root;
    },
    get project() {
      return project;
    },
    run,
    /** Runs a command with `--json`. */
    async json(...args: string[]) {
      const { code, stdout, stderr } = await run(...args, "--json");
      return { code, stderr, answer: JSON.parse(stdout) };
    },
    /** Starts the project; killed after the test where it still runs. */
    async start(): Promise<RunningOrgLoop> {
      const started = await startOrgLoop(project, env);
      running.push(started);
      return started;
    },
    /** Replaces `from`, which must be there, wherever it stands in a file of the project. */
    async edit(file: string, from: string, to: string): Promise<void> {
      const target = path.join(project, file);
      const text = await readFile(target, "utf8");
      expect(text).toContain(from);
      await writeFile(target, text.replaceAll(from, to));
    },
  };
}
