import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { COMMAND, orgloop } from "../run-orgloop.ts";
import { type PackageRegistry, packageRegistry } from "./package-registry.ts";

const MODULES = path.resolve(import.meta.dirname, "../../modules");

let root: string;
let project: string;
let env: NodeJS.ProcessEnv;
let registry: PackageRegistry | undefined;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "orgloop-module-"));
  project = path.join(root, "acme");
  env = { ORGLOOP_HOME: path.join(root, "home"), NO_COLOR: "1" };
  expect(await orgloop(["init", project], env)).toMatchObject({ code: 0 });
});

afterEach(async () => {
  await registry?.close();
  registry = undefined;
  await rm(root, { recursive: true });
});

const run = (...args: string[]) => orgloop([...args, "-c", project], env);

/** Every file of the project but those of packages, with its text. */
async function files(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(project, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && !file.includes("node_modules"))
      found[file] = await readFile(file, "utf8");
  }
  return found;
}

test("a folder is wired, listed and shown; comments stay as they are", async () => {
  await cp(path.join(MODULES, "code-review"), path.join(project, "modules/review"), {
    recursive: true,
  });
  const manifest = path.join(project, "orgloop.yaml");
  const before = await readFile(manifest, "utf8");
  expect(await run("module", "list")).toMatchObject({
    code: 0,
    stdout: "There are no modules; `orgloop module add` adds one.\n",
  });
  const param = (text: string) => ["--param", text];
  const params = [
    ...param("github_source=inbox"),
    ...param("agent_actor=terminal"),
    ...param("concurrency=2"),
  ];
  const added = await run("module", "add", "./modules/review", "--name", "rev", ...params);
  expect(added).toMatchObject({ code: 0 });
  expect(added.stdout).toMatch(
    /^Added rev \(module code-review 1\.0\.0\) at orgloop\.yaml:\d+: \d route/,
  );
  expect(await readFile(manifest, "utf8")).toBe(`${before}
modules:
  - package: ./modules/review
    name: rev
    params:
      github_source: inbox
      agent_actor: terminal
      concurrency: 2
`);
  const { stdout } = await run("module", "list", "--json");
  expect(JSON.parse(stdout)).toMatchObject([
    { name: "rev", module: { name: "code-review", version: "1.0.0" }, team: null },
  ]);
  const shown = JSON.parse((await run("module", "show", "rev", "--json")).stdout);
  expect(shown.params).toContainEqual({
    name: "concurrency",
    value: 2,
    from: expect.objectContaining({ file: "orgloop.yaml" }),
  });
  expect(shown.params).toContainEqual({ name: "mention", value: "@review", from: null });
  const [route] = shown.items.filter(({ kind }: { kind: string }) => kind === "route");
  expect(route).toMatchObject({
    name: "rev-review",
    declared: { file: "modules/review/templates/routes.yaml" },
  });
  expect(route.values).toContainEqual({
    path: "when.source[0]",
    value: "inbox",
    origin: expect.objectContaining({ file: "orgloop.yaml" }),
    cause: expect.stringMatching(/^parameter /),
  });
  expect(route.values).toContainEqual({
    path: "delivery.concurrency",
    value: 2,
    origin: expect.objectContaining({ file: "orgloop.yaml" }),
    cause: "parameter concurrency",
  });
  const text = await run("module", "show", "rev");
  expect(text.stdout).toMatch(
    /delivery\.concurrency +2 +orgloop\.yaml:\d+:\d+ \(parameter concurrency\)/,
  );
  expect(await run("module", "show", "review")).toMatchObject({
    code: 1,
    stderr: 'error: there is no instance "review" of a module; instances: rev\n',
  });
});

test("what does not fit changes nothing, and says what is wrong at its place and what is missing", async () => {
  await cp(path.join(MODULES, "code-review"), path.join(project, "modules/review"), {
    recursive: true,
  });
  const before = await files();
  const refused = async (...args: string[]) => {
    const { code, stderr } = await run("module", "add", ...args);
    expect(code).toBe(1);
    expect(await files()).toEqual(before);
    return stderr;
  };
  expect(await refused("./modules/review")).toMatch(
    /orgloop\.yaml:\d+:\d+: module "code-review" needs the parameter "github_source"[\s\S]*--param github_source=… \(source\): Where pull requests come from/,
  );
  expect(await refused("./modules/review", "--param", "github_source=inbx")).toMatch(
    /unknown source "inbx": did you mean "inbox"\?/,
  );
  expect(await refused("./modules/none")).toContain("there is no such folder");
  expect(await refused("./routes")).toContain("it has no orgloop-module.yaml");
  await mkdir(path.join(root, "outside"));
  await writeFile(path.join(root, "outside/orgloop-module.yaml"), "");
  expect(await refused(path.join(root, "outside"))).toContain("outside the project");
  expect(await refused("a b")).toContain("neither a package");
  expect(await refused("./modules/review", "--team", "none")).toContain('no team "none"');
});

test("a package is installed by npm and wired; one that does not fit is taken out again", async () => {
  registry = await packageRegistry(path.join(root, "registry"));
  env = { ...env, ...registry.env };
  const name = "@orgloop/module-ci-monitor";
  const installed = path.join(project, "node_modules", name);
  const before = await files();

  const refused = await run("module", "add", name);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("github_source") });
  expect(await files()).toEqual(before);
  expect(existsSync(path.join(project, "node_modules"))).toBe(false);

  const missing = await run("module", "add", "@orgloop/no-such-module");
  expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining("npm install") });
  expect(await files()).toEqual(before);

  const params = ["--param", "github_source=inbox", "--param", "alert_actor=terminal"];
  const { code, stdout } = await run("module", "add", `${name}@1.0.0`, ...params, "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    instance: { name: "ci-monitor", module: { path: `node_modules/${name}` } },
    installed: { with: "npm" },
  });
  expect(existsSync(path.join(installed, "orgloop-module.yaml"))).toBe(true);
  const { dependencies } = JSON.parse(await readFile(path.join(project, "package.json"), "utf8"));
  expect(dependencies).toHaveProperty(name);
  expect(await run("validate")).toMatchObject({ code: 0 });

  // Once more, under the name that is taken: what was installed stays.
  const wired = await files();
  const again = await run("module", "add", name, ...params);
  expect(again).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is already an instance "ci-monitor"'),
  });
  expect(await files()).toEqual(wired);
  expect(existsSync(path.join(installed, "orgloop-module.yaml"))).toBe(true);
});

test("an interrupted installation is undone", async () => {
  const bin = path.join(root, "bin");
  await mkdir(bin);
  // Stands for an npm that has begun to write and takes its time.
  await writeFile(path.join(bin, "npm"), "#!/bin/sh\necho '{}' > package.json\nexec sleep 60\n");
  await chmod(path.join(bin, "npm"), 0o755);
  const before = await files();
  const child = spawn(process.execPath, [COMMAND, "module", "add", "@acme/m", "-c", project], {
    env: { ...process.env, ...env, PATH: `${bin}:${process.env.PATH}` },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const exited = once(child, "exit");
  await expect
    .poll(() => readFile(path.join(project, "package.json"), "utf8"), { timeout: 60_000 })
    .toBe("{}\n");
  child.kill("SIGINT");
  expect(await exited).toEqual([1, null]);
  expect(said).toContain("npm install --no-audit --no-fund @acme/m: interrupted");
  expect(await files()).toEqual(before);
});
