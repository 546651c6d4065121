import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { text as textOf } from "node:stream/consumers";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { pluginEntry } from "@orgloop/node";
import { bundleFunctions } from "@orgloop/stacks";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { type RunningOrgLoop, startOrgLoop } from "../run-orgloop.ts";
import { serveTest } from "../serve-test.ts";
import { oldestNode } from "./oldest-node.ts";
import { type PackageRegistry, packageRegistry } from "./package-registry.ts";
import { packedTarballs } from "./packed-tarballs.ts";

// What a release would publish, installed by npm into empty folders, on the oldest Node it is for.

const ROOT = path.resolve(import.meta.dirname, "../..");
const TSC = path.join(ROOT, "node_modules/.bin/tsc");
const run = promisify(execFile);

// npm installs a hundred packages.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let root: string;
let registry: PackageRegistry;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "orgloop-packages-"));
  registry = await packageRegistry(path.join(root, "registry"));
  const { version, bin } = await oldestNode();
  env = {
    ...process.env,
    ...registry.env,
    PATH: `${bin}${path.delimiter}${process.env.PATH}`,
    ORGLOOP_HOME: path.join(root, "home"),
    NO_COLOR: "1",
  };
  expect((await run("node", ["--version"], { env })).stdout.trim()).toBe(version);
});

afterAll(async () => {
  await registry.close();
  await rm(root, { recursive: true });
});

/** An empty folder with a package.json in which npm installs `wanted`. */
async function installed(name: string, wanted: readonly string[]): Promise<string> {
  const folder = path.join(root, name);
  await mkdir(folder);
  await writeFile(path.join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  await run("npm", ["install", ...wanted], { cwd: folder, env });
  return folder;
}

/** Starts the project with the command that npm has put into its own folder. */
async function started(project: string, more: NodeJS.ProcessEnv = {}): Promise<RunningOrgLoop> {
  const command = ["node", path.join(project, "node_modules/.bin/orgloop")];
  const running = await startOrgLoop(project, { ...env, ...more }, [], command);
  onTestFinished(async () => {
    if (running.child.exitCode === null) await running.end("SIGKILL");
  });
  return running;
}

/** What TypeScript finds wrong. */
async function compiled(folder: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(TSC, args, { cwd: folder }).catch((failed) => failed);
  return stdout;
}

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly [key: string]: unknown;
}

async function manifestIn(tarball: string): Promise<Manifest> {
  const { stdout } = await run("tar", ["-xzOf", tarball, "package/package.json"]);
  return JSON.parse(stdout);
}

test("each tarball says what it needs, and holds what it says and no sources", async () => {
  for (const tarball of packedTarballs()) {
    const { stdout } = await run("tar", ["-tzf", tarball]);
    const files = stdout
      .trim()
      .split("\n")
      .map((file) => file.replace("package/", "./"));
    const manifest = await manifestIn(tarball);
    expect(files).toEqual(expect.arrayContaining(["./LICENSE", "./README.md"]));
    expect(files.filter((file) => /(?<!\.d)\.ts$|\/src\/|node_modules/.test(file))).toEqual([]);
    const named = Object.values(manifest.exports).flatMap((target) =>
      typeof target === "string" ? [target] : Object.values(target),
    );
    expect(files, manifest.name).toEqual(expect.arrayContaining(named));
    expect(manifest, manifest.name).toMatchObject({
      license: "MIT",
      engines: { node: ">=22.18" },
      publishConfig: { access: "public", provenance: true },
    });
    expect(manifest).not.toHaveProperty("private");
    expect(manifest).not.toHaveProperty("devDependencies");
  }
});

test("the command's tarball has the licences of all that is in its bundle", async () => {
  const tarball = packedTarballs().find((file) => /^orgloop-\d/.test(path.basename(file))) ?? "";
  const { stdout } = await run("tar", ["-xzOf", tarball, "package/dist/LICENSES.txt"]);
  for (const name of ["zod", "hono", "jq-wasm", "@aws-sdk/client-sqs", "commander"]) {
    expect(stdout).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+.* \\(`, "m"));
  }
  expect(stdout).toContain("Permission is hereby granted, free of charge");
});

/** A folder with all packages, installed once. */
let all: Promise<string> | undefined;
function allInstalled(): Promise<string> {
  all ??= installed("all", [...packedTarballs(), "@types/node"]);
  return all;
}

test("all of them install together, load, and declare what TypeScript understands", async () => {
  const folder = await allInstalled();
  const manifests = await Promise.all(packedTarballs().map(manifestIn));
  const names = manifests.filter((it) => "." in it.exports).map(({ name }) => name);
  expect(names.length).toBe(16);
  const imports = names.map((name, at) => `import * as m${at} from "${name}";`);
  const definitions = names.flatMap((name, at) =>
    /\/(connector|transform|logger)-/.test(name) ? [`m${at}`] : [],
  );
  const used = `console.log([${definitions.map((it) => `${it}.default.kind`)}].length);`;
  await writeFile(path.join(folder, "all.ts"), [...imports, used, ""].join("\n"));
  const options = ["--strict", "--module", "nodenext", "--target", "es2024", "--types", "node"];
  expect(await compiled(folder, [...options, "--skipLibCheck", "false", "all.ts"])).toBe("");
  const { stdout } = await run("node", ["all.js"], { cwd: folder, env });
  expect(stdout.trim()).toBe("13");

  // The laws of a store run in the project of whoever wrote the store.
  await writeFile(path.join(folder, "store.test.js"), STORE_TEST);
  const report = path.join(folder, "report.json");
  const reported = ["--reporter", "json", "--outputFile", report];
  await run("npx", ["vitest", "run", "--root", folder, ...reported], { cwd: folder, env });
  const told = JSON.parse(await readFile(report, "utf8"));
  expect(told).toMatchObject({ success: true, numFailedTests: 0 });
  expect(told.numPassedTests).toBeGreaterThan(1);
});

const STORE_TEST = `
import { checkpointSuite } from "@orgloop/testkit";
const open = async () => {
  const kept = new Map();
  return {
    get: async (id) => kept.get(id) ?? null,
    set: async (id, checkpoint) => void kept.set(id, checkpoint),
    delete: async (id) => void kept.delete(id),
  };
};
checkpointSuite({ name: "map", open });
`;

test("where a project has them installed, the functions' bundles hold them, with jq", async () => {
  const projectDir = await allInstalled();
  const entries = new Map<string, string>();
  for (const name of ["@orgloop/transform-filter", "@orgloop/transform-dedup"]) {
    entries.set(name, await pluginEntry({ projectDir })(name));
  }
  const packages = [...entries.keys()];
  const lookup = await bundleFunctions({
    functionsDir: path.join(ROOT, "functions"),
    outDir: path.join(root, "functions"),
    entry: (name) => entries.get(name) ?? "",
    scripts: new Map(),
    schemas: false,
    jq: true,
    wanted: [["route", packages]],
  });
  const folder = lookup("route", packages);
  const texts = await Promise.all(
    (await readdir(folder, { withFileTypes: true }))
      .filter((entry) => entry.name.endsWith(".mjs"))
      .map((entry) => readFile(path.join(folder, entry.name), "utf8")),
  );
  expect(texts.join("\n")).toMatch(/new URL\("\.\/jq-worker\.mjs",import\.meta\.url\)/);
  const worker = new Worker(path.join(folder, "jq-worker.mjs"));
  worker.postMessage({ input: '{"number":42}', expression: ".number == 42" });
  const [reply] = await once(worker, "message");
  await worker.terminate();
  expect(reply).toMatchObject({ stdout: expect.stringMatching(/^true/), exitCode: 0 });
});

test("a new project runs as its package.json has it installed, with a module", async () => {
  const tool = await installed("tool", ["orgloop"]);
  const project = path.join(root, "acme");
  await run("npx", ["orgloop", "init", project], { cwd: tool, env });
  const here = { cwd: project, env };
  await run("npm", ["install"], here);
  const params = ["--param", "github_source=inbox", "--param", "alert_actor=terminal"];
  const module = "@orgloop/module-ci-monitor";
  await run("npx", ["orgloop", "module", "add", module, ...params], here);
  await run("npm", ["run", "validate"], here);
  const { dependencies } = JSON.parse(await readFile(path.join(project, "package.json"), "utf8"));
  expect(Object.keys(dependencies)).toEqual(expect.arrayContaining(["orgloop", module]));

  const running = await started(project);
  const variables = await readFile(path.join(project, ".env"), "utf8");
  const secret = /^INBOX_SECRET=(.*)$/m.exec(variables)?.[1] ?? "";
  const build = { id: 7, conclusion: "failure", head_branch: "main", event: "push" };
  const repository = { full_name: "acme/web" };
  const body = JSON.stringify({ action: "completed", repository, workflow_run: build });
  const signature = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  const headers = { "x-hub-signature-256": signature, "x-github-event": "workflow_run" };
  const answer = await fetch(`${running.url}/webhook/inbox`, { method: "POST", headers, body });
  expect(answer.status, running.lines.join("\n")).toBe(200);
  // The project's own route has it on record, the module's route tells it with its prompt.
  await vi.waitFor(async () => {
    expect(await readFile(path.join(project, "out/records.jsonl"), "utf8")).toContain("acme/web");
    expect(running.lines.join("\n")).toContain("A build failed; its address");
  }, 60_000);
  expect(await running.end("SIGTERM")).toBe(0);
});

const NOTES = [
  { number: 1, thread: "a", text: "Call me", phone: "555" },
  { number: 2, thread: "b", text: "Refused", phone: "555" },
  { number: 3, thread: "c", text: "Later", phone: "555" },
];

test("a connector, a transform and a logger of others are built against the sdk, and run", async () => {
  const names = ["connector-board", "transform-redact", "logger-tally"];
  const tarballs: string[] = [];
  for (const name of names) tarballs.push(await builtPlugin(name));
  const project = await installed("notes", ["orgloop", ...tarballs]);
  const manifest = path.join(ROOT, "examples/extending/orgloop.yaml");
  await cp(manifest, path.join(project, "orgloop.yaml"));

  const copied: string[] = [];
  const board = createServer(async (request, response) => {
    const after = Number(new URL(request.url ?? "", "http://board").searchParams.get("after"));
    if (request.method === "GET") {
      return void response.end(JSON.stringify(NOTES.filter(({ number }) => number > after)));
    }
    const { text } = JSON.parse(await textOf(request));
    if (text.startsWith("Refused")) return void response.writeHead(422).end();
    copied.push(text);
    response.end();
  });
  const url = `http://127.0.0.1:${await serveTest(board)}`;
  const TALLY_FILE = path.join(root, "tally.json");
  const variables = { BOARD_URL: url, COPY_URL: url, BOARD_TOKEN: "a-secret-token", TALLY_FILE };
  const running = await started(project, variables);
  await vi.waitFor(() => expect(copied.sort()).toEqual(["Call me (***)", "Later (***)"]), 60_000);
  expect(await running.end("SIGTERM")).toBe(0);
  // The error class is that of their own copy of the sdk.
  const counts = JSON.parse(await readFile(TALLY_FILE, "utf8"));
  expect(counts).toMatchObject({ "source.emit": 3, "deliver.success": 2 });
  expect(counts).not.toHaveProperty("deliver.retry");
  expect(running.lines.join("\n")).not.toContain("a-secret-token");
});

/** Builds a package of the example as its author would. Gives its tarball. */
async function builtPlugin(name: string): Promise<string> {
  const folder = path.join(root, name);
  await cp(path.join(ROOT, "examples/extending/packages", name), folder, { recursive: true });
  const file = path.join(folder, "package.json");
  const manifest = JSON.parse(await readFile(file, "utf8"));
  await writeFile(file, JSON.stringify({ ...manifest, exports: "./index.js" }));
  await run("npm", ["install", "--save-dev", "@types/node"], { cwd: folder, env });
  const options = ["--strict", "--module", "nodenext", "--target", "es2024", "--types", "node"];
  expect(await compiled(folder, [...options, "index.ts"])).toBe("");
  const { stdout } = await run("npm", ["pack", "--json"], { cwd: folder, env });
  return path.join(folder, JSON.parse(stdout)[0].filename);
}
