import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeliveryContext, OrgLoopEvent } from "@orgloop/sdk";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { execActorConfig } from "./config.ts";
import { execActor } from "./exec-actor.ts";
import connector from "./index.ts";

let projectDir: string;
beforeEach(async () => {
  projectDir = await realpath(await mkdtemp(join(tmpdir(), "orgloop-exec-")));
});
afterEach(() => rm(projectDir, { recursive: true }));

const event: OrgLoopEvent = {
  id: "evt_1",
  timestamp: "2026-11-01T00:00:00.000Z",
  source: "github",
  type: "resource.changed",
  provenance: { platform: "github" },
  payload: { text: "$(touch pwned) ü\n" },
  trace_id: "trc_1",
};

async function deliver(config: unknown, extra: Partial<DeliveryContext> = {}, sent = event) {
  const actor = await execActor(execActorConfig.parse(config), {
    id: "agent",
    projectDir,
    mask: (text) => text,
  });
  const { signal } = new AbortController();
  const context = { route: "team/r", config: {}, attempt: 2, replay: 1, signal, ...extra };
  return actor.deliver(sent, context);
}

const sh = (line: string, rest = {}) => ({ command: line, shell: true, ...rest });
const output = (name: string) => readFile(join(projectDir, name), "utf8");

/** A process that still runs: neither gone nor a zombie that nobody has reaped. */
async function runs(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") R");
  return !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
}

describe("the command", () => {
  it("gets the event on stdin and runs in the project", async () => {
    await expect(deliver({ command: "tee", args: ["out.json"] })).resolves.toEqual({
      status: "delivered",
    });
    expect(JSON.parse(await output("out.json"))).toEqual(event);
    expect(connector.id).toBe("exec");
  });

  it("gets the script variables, the prompt's file and its own env", async () => {
    const prompt = { text: "Do it", file: "/p/prompt.md", meta: null };
    await deliver(sh("env > out.txt", { env: { TEAM: "a b", LEVEL: 3 } }), { prompt });
    const variables = (await output("out.txt")).split("\n");
    expect(variables).toEqual(
      expect.arrayContaining([
        "ORGLOOP_SOURCE=github",
        "ORGLOOP_TARGET=agent",
        "ORGLOOP_EVENT_TYPE=resource.changed",
        "ORGLOOP_EVENT_ID=evt_1",
        "ORGLOOP_ROUTE=team/r",
        "ORGLOOP_ATTEMPT=2",
        "ORGLOOP_REPLAY=1",
        "ORGLOOP_PROMPT_FILE=/p/prompt.md",
        "TEAM=a b",
        "LEVEL=3",
        `PATH=${process.env.PATH}`,
      ]),
    );
  });

  it("takes arguments as they are: there is no shell unless it is asked for", async () => {
    const args = ["$(touch pwned)", "a b", "*"];
    await deliver({
      command: "node",
      args: ["-e", "fs.writeFileSync('o', process.argv.slice(1).join('|'))", ...args],
    });
    expect(await output("o")).toBe("$(touch pwned)|a b|*");
    await deliver(sh('printf "%s|" "$@" > o', { args }));
    expect(await output("o")).toBe("$(touch pwned)|a b|*|");
    await expect(output("pwned")).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("may be a path from the project, and run in one of its folders", async () => {
    await mkdir(join(projectDir, "bin"));
    await writeFile(join(projectDir, "bin/run"), "#!/bin/sh\npwd > here\n");
    await chmod(join(projectDir, "bin/run"), 0o755);
    await deliver({ command: "./bin/run", cwd: "bin" });
    expect(await output("bin/here")).toBe(`${projectDir}/bin\n`);
  });

  it("need not read a large event", async () => {
    const large = { ...event, payload: { text: "x".repeat(1_000_000) } };
    await expect(deliver({ command: "true" }, {}, large)).resolves.toMatchObject({
      status: "delivered",
    });
    await deliver({ command: "tee", args: ["out.json"] }, {}, large);
    expect(JSON.parse(await output("out.json"))).toEqual(large);
  });

  it.each(["..", "/", "link", "missing"])("may not run in %s", async (cwd) => {
    await symlink("/", join(projectDir, "link"));
    await expect(deliver({ command: "true", cwd })).rejects.toMatchObject({
      code: "INVALID_CONFIG",
    });
  });
});

describe("the outcome", () => {
  it("is permanent for exit code 100, or the configured one, and another try for the rest", async () => {
    await expect(deliver(sh("exit 100"))).rejects.toMatchObject({ code: "PERMANENT" });
    await expect(deliver(sh("exit 100", { permanent_exit_code: 3 }))).rejects.toMatchObject({
      code: "COMMAND_FAILED",
    });
    await expect(deliver(sh("exit 3", { permanent_exit_code: 3 }))).rejects.toMatchObject({
      code: "PERMANENT",
    });
    await expect(deliver(sh("kill -9 $$"))).rejects.toMatchObject({
      code: "COMMAND_FAILED",
      message: expect.stringContaining("was ended by SIGKILL"),
    });
  });

  it("says what was printed, stderr first, bounded and on one line", async () => {
    await expect(deliver(sh("echo out; echo 'no\n disk' >&2; exit 1"))).rejects.toThrow(
      /exited with code 1: no disk$/,
    );
    await expect(deliver(sh("echo out; exit 1"))).rejects.toThrow(/code 1: out$/);
    const noisy = await deliver(sh("yes abcdefg | head -c 500000 >&2; echo END >&2; exit 1")).catch(
      (error: Error) => error.message,
    );
    expect(String(noisy).length).toBeLessThan(1200);
    expect(noisy).toMatch(/END$/);
  });

  it("is another try where the command cannot be started", async () => {
    await expect(deliver({ command: "no-such-command-here" })).rejects.toMatchObject({
      code: "COMMAND_FAILED",
      message: expect.stringContaining("ENOENT"),
      cause: expect.any(Error),
    });
  });

  it("does not wait for what the command left in the background", async () => {
    await expect(deliver(sh("sleep 60 & echo $! > pid"))).resolves.toBeDefined();
    await expect(deliver(sh("sleep 60 & echo $! > pid2; exit 1"))).rejects.toThrow("code 1");
    for (const name of ["pid", "pid2"]) process.kill(Number(await output(name)), "SIGKILL");
  });
});

describe("the timeout", () => {
  it("ends the whole process group before it rejects", async () => {
    const controller = new AbortController();
    const line = "sleep 60 & echo $! > child.tmp; echo $$ > self; mv child.tmp child; wait";
    const delivery = deliver(sh(line), { signal: controller.signal });
    delivery.catch(() => undefined);
    const child = Number(await vi.waitFor(() => output("child")));
    controller.abort(new Error("timed out after 30s"));
    await expect(delivery).rejects.toMatchObject({
      code: "COMMAND_FAILED",
      message: expect.stringMatching(/was stopped: timed out after 30s$/),
    });
    expect(await runs(Number(await output("self")))).toBe(false);
    await vi.waitFor(async () => expect(await runs(child)).toBe(false));
  });

  it("kills what ignores SIGTERM, the command and what it left behind", async () => {
    for (const stubborn of ["trap '' TERM; ", "(trap '' TERM; "]) {
      const controller = new AbortController();
      const end = stubborn.startsWith("(") ? ") & wait" : "";
      const line = `rm -f ready; ${stubborn}sh -c 'echo $$ > pid; echo > ready; while :; do sleep 0.01; done'${end}`;
      const delivery = deliver(sh(line, { kill_after: "20ms" }), { signal: controller.signal });
      delivery.catch(() => undefined);
      await vi.waitFor(() => output("ready"));
      const pid = Number(await output("pid"));
      controller.abort();
      await expect(delivery).rejects.toMatchObject({ code: "COMMAND_FAILED" });
      await vi.waitFor(async () => expect(await runs(pid)).toBe(false));
      await rm(join(projectDir, "ready"));
    }
  });

  it("starts nothing where it has passed already", async () => {
    await expect(deliver(sh("echo > ran"), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "COMMAND_FAILED",
    });
    await expect(output("ran")).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("what the route says", () => {
  const config = { channel: "#a", nested: { n: 1 } };
  const report = [
    "printf '%s' \"$ORGLOOP_CONFIG\" > variable",
    'stat -c %a "$ORGLOOP_CONFIG_FILE" "$(dirname "$ORGLOOP_CONFIG_FILE")" > mode',
    'echo "$ORGLOOP_CONFIG_FILE" > path',
    'cat "$ORGLOOP_CONFIG_FILE" > file',
  ].join("\n");
  const at = async () => (await output("path")).trim();

  it("is in a file of its own, which goes with the command, and in a variable", async () => {
    await deliver(sh(report), { config });
    expect(JSON.parse(await output("variable"))).toEqual(config);
    expect(JSON.parse(await output("file"))).toEqual(config);
    expect(await output("mode")).toBe("600\n700\n");
    await expect(readFile(await at())).rejects.toMatchObject({ code: "ENOENT" });
    await expect(deliver(sh(`${report}\nexit 7`), { config })).rejects.toThrow("code 7");
    await expect(readFile(await at())).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is in the file alone where it is too long for a variable", async () => {
    const long = { text: "ü".repeat(60_000) };
    await deliver(sh(report), { config: long });
    expect(JSON.parse(await output("file"))).toEqual(long);
    expect(await output("variable")).toBe("");
  });

  it("is nowhere where there is none, and what names the project is not taken for it", async () => {
    vi.stubEnv("ORGLOOP_CONFIG", "/a/project");
    await deliver(sh("env | grep ^ORGLOOP_CONFIG > found; true"));
    expect(await output("found")).toBe("");
    vi.unstubAllEnvs();
  });

  it("a prompt that was filled in is a file of its own, any other its author's", async () => {
    const prompt = { text: "Do #1", file: "/p/prompt.md", meta: { interpolate: true } };
    await deliver(sh('cat "$ORGLOOP_PROMPT_FILE" > prompt'), { prompt });
    expect(await output("prompt")).toBe("Do #1");
    await deliver(sh('cat "$ORGLOOP_PROMPT_FILE" > prompt'), {
      prompt: { text: "From the bundle", file: "sops/p.md", meta: null },
    });
    expect(await output("prompt")).toBe("From the bundle");
  });
});

describe("templates", () => {
  const args = ["{{payload.text}}", "n={{event.payload.n}}{{config.c}}", "{{payload..x}}"];
  const print = 'printf "%s|" "$@" > o';
  const sent = { ...event, payload: { text: "$(touch pwned) a", n: 7 } };

  it("fill the arguments where that is asked for, the command never", async () => {
    const missing: string[] = [];
    const extra = { config: { c: "!" }, onMissing: (path: string) => missing.push(path) };
    await deliver(sh(print, { args }), extra, sent);
    expect(await output("o")).toBe(`${args.join("|")}|`);
    await deliver(sh(print, { args, args_template: true }), extra, sent);
    expect(await output("o")).toBe("$(touch pwned) a|n=7!||");
    expect(missing).toEqual(["payload..x"]);
    await deliver(sh("echo '{{payload.n}}' > o", { args_template: true }), {}, sent);
    expect(await output("o")).toBe("{{payload.n}}\n");
    await expect(output("pwned")).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("refuse for good what no argument can hold", async () => {
    const nul = { ...event, payload: { text: "a\0b" } };
    const sending = deliver(sh(print, { args, args_template: true }), {}, nul);
    await expect(sending).rejects.toMatchObject({ code: "PERMANENT" });
  });
});

describe("env", () => {
  it("keeps everything else of the process from the command", async () => {
    vi.stubEnv("SECRET_OF_PROCESS", "s3cret");
    vi.stubEnv("WANTED", "w");
    vi.stubEnv("ORGLOOP_HOME", "/home/orgloop");
    const names = async (config: object) => {
      await deliver(sh("env > out.txt", config));
      return (await output("out.txt")).split("\n").map((line) => line.replace(/=.*/, ""));
    };
    expect(await names({})).toContain("SECRET_OF_PROCESS");
    for (const env of [[], ["WANTED"], {}, { WANTED: "x" }]) {
      const found = await names({ env });
      expect(found).toEqual(expect.arrayContaining(["PATH", "ORGLOOP_HOME", "ORGLOOP_ROUTE"]));
      expect(found).not.toContain("SECRET_OF_PROCESS");
      expect(found.includes("WANTED")).toBe("WANTED" in env || [env].flat().includes("WANTED"));
    }
    vi.unstubAllEnvs();
  });
});
