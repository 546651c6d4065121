import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "../resolve/load-project.ts";

const env = { ORGLOOP_HOME: "/dev/null/none" };
const head = (kind: string, name = "it") =>
  `apiVersion: orgloop/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\n`;
const MANIFEST = `${head("Project")}connectors: [connectors/all.yaml]\n`;
const CONNECTORS = `${head("ConnectorGroup")}sources:
  - { id: hub, connector: "@orgloop/connector-webhook" }
actors:
  - { id: board, connector: "@orgloop/connector-console" }
`;
const ROUTES = `${head("RouteGroup")}routes:
  - name: all
    when: { source: hub, events: [resource.changed] }
    then:
      actor: board
      config:
        channel: "ops"
`;
const FILES = {
  "orgloop.yaml": MANIFEST,
  "connectors/all.yaml": CONNECTORS,
  "routes/all.yaml": ROUTES,
};

async function said(files: Record<string, string | Uint8Array>, workspace = "default") {
  const path = temporaryProject({ ...FILES, ...files });
  const { errors, warnings } = await loadProject({ path, workspace, env, everyWorkspace: true });
  const line = (it: (typeof errors)[number]) => `${it.file}:${it.line}:${it.column} ${it.message}`;
  return { errors: errors.map(line), warnings: warnings.map(line) };
}

test("a value that YAML takes for a comment is told, in mappings and in lists", async () => {
  const { errors, warnings } = await said({
    "routes/all.yaml": ROUTES.replace(
      '"ops"',
      '#ops\n        others:\n          - "a # b"\n          - #dev # the developers\n        none: # nothing yet\n        text: |\n          x: #y',
    ),
  });
  const message = (text: string) =>
    `there is no value here: what follows # is a comment. If it is meant, put it in quotes: ${text}`;
  expect(errors).toEqual([]);
  expect(warnings).toEqual([
    `routes/all.yaml:10:18 ${message('"#ops"')}`,
    `routes/all.yaml:13:13 ${message('"#dev # the developers"')}`,
  ]);
});

test.each(["utf16le", "no mark"])("UTF-16 is called so (%s)", async (form) => {
  const bytes = Buffer.from(`${form === "no mark" ? "" : "\ufeff"}${ROUTES}`, "utf16le");
  expect((await said({ "routes/all.yaml": bytes })).errors).toEqual([
    "routes/all.yaml:1:1 the file is UTF-16 text: save it as UTF-8",
  ]);
});

test("what is missing with a file that is missing is not told besides", async () => {
  const { errors } = await said({
    "orgloop.yaml": MANIFEST.replace("all.yaml", "al.yaml"),
    "workspaces/live.yaml": `${head("Workspace", "live")}actors: { board: { enabled: false } }\n`,
  });
  expect(errors).toEqual([
    'orgloop.yaml:4:14 there is no file "connectors/al.yaml"; looked for connectors/al.yaml',
  ]);
});

test("what a workspace switches off and a route needs is an error of the workspace's file", async () => {
  const { errors } = await said(
    {
      "workspaces/live.yaml": `${head("Workspace", "live")}actors:\n  board: { enabled: false }\n`,
    },
    "live",
  );
  expect(errors).toEqual([
    'workspaces/live.yaml:5:21 actor "board" is switched off here, and route "all" refers to it (routes/all.yaml:8:14): switch the route off as well, or give it another',
  ]);
});

test("a workspace that has two files, or one that is no file, has its error there", async () => {
  const live = `${head("Workspace", "live")}`;
  const two = await said({ "workspaces/live.yaml": live, "workspaces/live.yml": live }, "live");
  expect(two.errors).toEqual([
    'workspaces/live.yml:1:1 the workspace "live" has two files: workspaces/live.yaml and workspaces/live.yml',
  ]);
  const path = temporaryProject(FILES);
  mkdirSync(join(path, "workspaces/live.yaml"), { recursive: true });
  const { errors } = await loadProject({ path, workspace: "live", env });
  expect(errors).toMatchObject([{ file: "workspaces/live.yaml", line: 1 }]);
});
