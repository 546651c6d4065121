import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test, vi } from "vitest";
import { orgloop, startOrgLoop } from "../run-orgloop.ts";

const PAYLOAD = '"id":12345678901234567890,"ids":[9007199254740993,-100000000000000000001],"n":1';
const BODY = `{${PAYLOAD}}`;

const route = (name: string, rest: object = {}) => ({
  name,
  when: { source: "hook", events: ["resource.changed"] },
  then: { actor: name },
  ...rest,
});
const through = (ref: string) => ({ transforms: [{ ref }] });

const MANIFEST = {
  apiVersion: "orgloop/v1alpha1",
  kind: "Project",
  metadata: { name: "content" },
  sources: [{ id: "hook", connector: "@orgloop/connector-webhook", config: {} }],
  actors: [
    ...["plain", "script", "jq"].map((id) => ({
      id,
      connector: "@orgloop/connector-file",
      config: { path: `out/${id}.jsonl` },
    })),
    {
      id: "exec",
      connector: "@orgloop/connector-exec",
      config: { command: "cat >> out/exec.jsonl; echo >> out/exec.jsonl", shell: true },
    },
    {
      id: "refusing",
      connector: "@orgloop/connector-exec",
      config: { command: "exit 100", shell: true },
    },
  ],
  transforms: [
    { name: "same", type: "script", script: "./same.sh" },
    {
      name: "marked",
      type: "package",
      package: "@orgloop/transform-filter",
      config: { jq: ".payload.seen = true" },
    },
  ],
  routes: [
    route("plain"),
    route("exec"),
    route("refusing"),
    route("script", through("same")),
    route("jq", through("marked")),
  ],
};

async function runProject() {
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-content-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const project = path.join(root, "project");
  const env = { ORGLOOP_HOME: path.join(root, "home") };
  await mkdir(path.join(project, "out"), { recursive: true });
  await writeFile(path.join(project, "orgloop.yaml"), JSON.stringify(MANIFEST));
  await writeFile(path.join(project, "same.sh"), "#!/bin/sh\ncat\n");
  await chmod(path.join(project, "same.sh"), 0o755);
  const running = await startOrgLoop(project, env);
  onTestFinished(() => void running.child.kill("SIGKILL"));
  return {
    root,
    post: (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
      fetch(`${running.url}/webhook/hook`, { method: "POST", body, headers }),
    command: (...args: string[]) => orgloop([...args, "--config", project], env),
    lines: async (name: string) => {
      const text = await readFile(path.join(project, "out", `${name}.jsonl`), "utf8");
      return text.split("\n").filter((line) => line !== "");
    },
  };
}

test("a number that no double holds, a byte order mark and a packed body reach every actor whole", async () => {
  const { root, post, command, lines } = await runProject();
  expect((await post(BODY)).status).toBe(200);
  expect((await post(`\uFEFF${BODY}`)).status).toBe(200);
  const packed = new Uint8Array(gzipSync(BODY));
  expect((await post(packed, { "content-encoding": "gzip" })).status).toBe(200);
  expect((await post(packed, { "content-encoding": "br" })).status).toBe(415);

  const event = `{"source":"hook","payload":${BODY}}`;
  await writeFile(path.join(root, "one.json"), `\uFEFF${event}`);
  await writeFile(path.join(root, "two.jsonl"), `\uFEFF${event}\r\n${event}\r\n`);
  for (const name of ["one.json", "two.jsonl"]) {
    expect(await command("inject", path.join(root, name))).toMatchObject({ code: 0 });
  }
  await vi.waitFor(
    async () => {
      for (const name of ["plain", "exec", "script", "jq"]) {
        const written = await lines(name);
        expect(written).toHaveLength(6);
        expect(written.filter((line) => !line.includes(PAYLOAD))).toEqual([]);
      }
    },
    { timeout: 60_000, interval: 100 },
  );

  const { stdout } = await vi.waitFor(async () => {
    const listed = await command("dead-letters", "list", "--json");
    expect(JSON.parse(listed.stdout)).toHaveLength(6);
    return listed;
  }, 60_000);
  const [letter] = JSON.parse(stdout) as { id: string }[];
  const shown = await command("dead-letters", "show", String(letter?.id), "--json");
  expect(shown.stdout.replace(/\s/g, "")).toContain(PAYLOAD);
});

test("a number out of range is refused by name, in a webhook and in what is injected", async () => {
  const { root, post, command } = await runProject();
  const answer = await post('{"amount":1e400}');
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: "NUMBER_OUT_OF_RANGE" });
  const file = path.join(root, "huge.jsonl");
  await writeFile(file, '{"source":"hook"}\n{"source":"hook","payload":{"amount":1e400}}\n');
  const injected = await command("inject", file);
  expect(injected.code).toBe(1);
  expect(injected.stderr).toMatch(
    /huge\.jsonl:2: NUMBER_OUT_OF_RANGE: the number 1e400 at "amount"/,
  );
});
