import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { loadProject } from "@orgloop/config";
import { findTests, loadTests } from "@orgloop/config/tests";
import { pluginLookup } from "@orgloop/node";
import { expect, test } from "vitest";
import { parseDocument } from "yaml";
import { runTests } from "../tests/run-tests.ts";
import { optionalConnectors, projectTemplate } from "./project-template.ts";

async function write(files: ReadonlyMap<string, string>): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "orgloop-init-"));
  for (const [file, text] of files) {
    const target = path.join(directory, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }
  return directory;
}

test("a new project loads without a problem and wants no variable that is not set", async () => {
  const files = projectTemplate({ name: "acme", description: 'Says "hi": #1', connectors: [] });
  const directory = await write(files);
  const project = await loadProject({ path: directory, env: {} });
  expect(project.errors).toEqual([]);
  expect(project.warnings).toEqual([]);
  expect(project.topology).toMatchObject({ project: "acme", bus: { url: "file" } });
  expect(project.topology?.routes).toHaveLength(2);
  // Formatters take front matter for a rule and a heading.
  const prompts = project.topology?.routes.flatMap((route) => route.with?.prompt ?? []);
  expect(prompts).toMatchObject([{ meta: { owner: "whoever is on call" } }]);
  await rm(directory, { recursive: true });
});

test("its own tests pass, whatever is wired in", async () => {
  for (const connectors of [[], optionalConnectors()]) {
    const directory = await write(projectTemplate({ name: "acme", description: "", connectors }));
    const files = findTests(directory);
    expect(files).toEqual([path.join(directory, "routes/routes.test.yaml")]);
    const lookup = (projectDir: string) => pluginLookup({ projectDir });
    const tests = await loadTests(files[0] ?? "", { env: {}, lookup });
    expect(tests.errors).toEqual([]);
    const results = await runTests(tests, () => {});
    expect(results.map(({ failures }) => failures)).toEqual([[], []]);
    await rm(directory, { recursive: true });
  }
});

test("every connector can be wired in; then only its variables are missing", async () => {
  const files = projectTemplate({
    name: "acme",
    description: "",
    connectors: optionalConnectors(),
  });
  const directory = await write(files);
  const project = await loadProject({ path: directory, env: {} });
  expect(project.errors).toEqual([]);
  expect(new Set(project.warnings.map(({ code }) => code))).toEqual(new Set(["missing-variable"]));
  await rm(directory, { recursive: true });
});

test("with AWS it has a workspace that can be deployed; without it stays as it is", async () => {
  const files = projectTemplate({ name: "acme", description: "", connectors: [], aws: true });
  expect(files.get("DEPLOY.md")).toContain("acme on AWS");
  const directory = await write(files);
  const load = (workspace: string) => loadProject({ path: directory, workspace, env: {} });
  const project = await load("production");
  expect(project.errors).toEqual([]);
  expect(project.warnings).toEqual([]);
  expect(project.topology).toMatchObject({ bus: { url: "sqs" }, aws: { region: "eu-west-1" } });
  expect(project.topology?.actors.map(({ id }) => id)).toEqual(["terminal"]);
  expect((await load("default")).topology).toMatchObject({ bus: { url: "file" } });
  await rm(directory, { recursive: true });
});

test("every YAML file names a schema that is there, and its secret is another each time", async () => {
  const options = {
    name: "acme",
    description: "",
    connectors: optionalConnectors(),
    aws: true,
  };
  const files = projectTemplate(options);
  for (const [file, text] of files) {
    if (!file.includes("schemas/")) expect(text).not.toMatch(/__|\*\*/);
    if (!file.endsWith(".yaml")) continue;
    const [, schema = ""] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? [];
    expect(files.has(path.posix.join(path.posix.dirname(file), schema))).toBe(true);
    expect(parseDocument(text)).toMatchObject({ errors: [], warnings: [] });
  }
  expect(files.get(".env")).toMatch(/^INBOX_SECRET=[0-9a-f]{48}$/m);
  expect(projectTemplate(options).get(".env")).not.toBe(files.get(".env"));
});

test("it depends on the command and on the packages that it names, and on nothing else", () => {
  const dependencies = (connectors: readonly string[]) => {
    const files = projectTemplate({ name: "acme", description: "", connectors });
    return JSON.parse(files.get("package.json") ?? "").dependencies;
  };
  const own = ["connector-console", "connector-cron", "connector-file", "connector-webhook"];
  const names = ["orgloop", ...own.map((name) => `@orgloop/${name}`)];
  expect(Object.keys(dependencies([])).sort()).toEqual(names.sort());
  expect(dependencies(["github"])).toMatchObject({ "@orgloop/connector-github": "^0.1.0" });
});

test("whatever is wired in, the workspace for AWS is valid", async () => {
  const connectors = optionalConnectors();
  const files = projectTemplate({ name: "acme", description: "", connectors, aws: true });
  const directory = await write(files);
  const lookup = pluginLookup({ projectDir: directory });
  const project = await loadProject({ path: directory, workspace: "production", env: {}, lookup });
  expect(project.errors).toEqual([]);
  await rm(directory, { recursive: true });
});
