import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { json as jsonOf, text as textOf } from "node:stream/consumers";
import { beforeEach, expect, test } from "vitest";
import { COMMAND, orgloop } from "../run-orgloop.ts";
import { serveTest } from "../serve-test.ts";

let root: string;
let project: string;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "orgloop-scaffold-"));
  project = path.join(root, "acme");
  env = { ORGLOOP_HOME: path.join(root, "home"), HOME: root, XDG_CONFIG_HOME: "" };
  await orgloop(["init", project], env);
  return () => rm(root, { recursive: true, force: true });
});

const run = (...args: string[]) => orgloop([...args, "--config", project], env);

test("what is added is listed, stands, and works; what is there is left alone", async () => {
  const manifest = path.join(project, "orgloop.yaml");
  const { mode } = await stat(manifest);
  for (const args of [
    ["connector", "billing"],
    ["connector", "pager", "--type", "actor"],
    ["transform", "tidy"],
    ["logger", "audit"],
    ["route", "on-call", "--source", "billing", "--actor", "pager"],
  ]) {
    const { code, stderr } = await run("add", ...args);
    expect([code, stderr]).toEqual([0, ""]);
  }
  const text = await readFile(manifest, "utf8");
  for (const file of [
    "connectors/billing.yaml",
    "connectors/pager.yaml",
    "transforms/tidy.yaml",
    "loggers/audit.yaml",
  ]) {
    expect(text).toContain(`- ${file}`);
  }
  expect(text).toContain("# The project: what it is called");
  expect((await stat(manifest)).mode).toBe(mode);
  expect((await stat(path.join(project, "transforms/tidy.sh"))).mode & 0o111).toBe(0o111);
  const { code, stdout } = await run("validate", "--json");
  expect([code, JSON.parse(stdout).errors]).toEqual([0, []]);
  expect((await run("routes")).stdout).toMatch(/billing.*on-call.*pager/);

  expect(await run("add", "connector", "billing")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("connectors/billing.yaml is there already"),
  });
  const before = await readFile(manifest, "utf8");
  const unfit = await run("add", "route", "nowhere", "--actor", "nobody");
  expect(unfit).toMatchObject({ code: 1, stderr: expect.stringContaining('"nobody"') });
  await expect(stat(path.join(project, "routes/nowhere.yaml"))).rejects.toMatchObject({
    code: "ENOENT",
  });
  expect(await readFile(manifest, "utf8")).toBe(before);
  expect((await run("add", "route", "../out")).code).toBe(1);
});

test("a project is not made where a file is", async () => {
  const file = path.join(root, "taken");
  await writeFile(file, "");
  expect(await orgloop(["init", file], env)).toEqual({
    code: 1,
    stdout: "",
    stderr: `error: the directory ${file} cannot be made: a file is in its place\n`,
  });
});

test("a tool's hook reaches its source; without a listener it is no failure", async () => {
  const got: unknown[] = [];
  let status = 200;
  const server = createServer(async (request, response) => {
    got.push([request.method, request.url, await jsonOf(request)]);
    response.writeHead(status).end("{}");
  });
  const port = String(await serveTest(server));
  const hook = async (stdin: string) => {
    const child = spawn(process.execPath, [COMMAND, "hook", "claude-code-stop", "--port", port], {
      env: { ...process.env, ...env },
    });
    child.stdin.end(stdin);
    const [stderr, [code]] = await Promise.all([textOf(child.stderr), once(child, "close")]);
    return { code, stderr };
  };
  expect((await hook('{"session_id":"s1","cwd":"/w","transcript_path":"/t"}')).code).toBe(0);
  expect(got).toEqual([
    [
      "POST",
      "/webhook/claude-code",
      expect.objectContaining({ session_id: "s1", working_directory: "/w", transcript_path: "/t" }),
    ],
  ]);
  status = 404;
  expect(await hook("{}")).toMatchObject({ code: 1, stderr: expect.stringContaining("404") });
  expect((await hook("no JSON")).code).toBe(1);
  await new Promise((resolve) => server.close(resolve));
  expect(await hook("{}")).toEqual({ code: 0, stderr: "" });
});

test("a service is written for the platform, and asked by its own tool", async () => {
  expect(await run("service", "status")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("install-service"),
  });
  expect((await run("install-service", "--systemd")).code).toBe(0);
  const unit = await readFile(path.join(root, ".config/systemd/user/orgloop.service"), "utf8");
  expect(unit).toContain(`"start" "--config" "${project}"`);
  expect(unit).toContain(`"ORGLOOP_HOME=${env.ORGLOOP_HOME}" "ORGLOOP_DAEMON=1"`);

  const bin = path.join(root, "bin");
  await mkdir(bin);
  const tool = path.join(bin, "systemctl");
  await writeFile(tool, '#!/bin/sh\necho "asked: $*"\n[ "$2" != stop ] || exit 5\n');
  await chmod(tool, 0o755);
  env = { ...env, PATH: `${bin}:${process.env.PATH}` };
  expect(await run("service", "start")).toMatchObject({
    code: 0,
    stdout: "asked: --user start orgloop\n",
  });
  expect((await run("service", "stop")).code).toBe(1);

  await rm(path.join(root, ".config"), { recursive: true });
  expect((await run("install-service", "--launchd")).code).toBe(0);
  const plist = path.join(root, "Library/LaunchAgents/com.orgloop.daemon.plist");
  expect(await readFile(plist, "utf8")).toContain(`<string>${project}</string>`);

  expect((await run("install-service", "--docker")).code).toBe(0);
  expect(await readFile(path.join(project, "Dockerfile"), "utf8")).toContain("orgloop");
  expect((await run("install-service", "--docker")).code).toBe(1);
});
