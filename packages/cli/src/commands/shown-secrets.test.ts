import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { recordedContext } from "./command-fixture.ts";
import { inspect } from "./inspect.ts";
import { workspaceShow } from "./workspace-show.ts";

const HEAD = "apiVersion: orgloop/v1alpha1\nmetadata: { name: acme }\n";
const PLUGIN = `const schema = { type: "object", properties: { pin: { type: "string", writeOnly: true } } };
const config = {
  "~standard": { version: 1, vendor: "x", validate: (value) => ({ value }), jsonSchema: { input: () => schema } },
};
export default { kind: "connector", id: "odd", source: { config, create: async () => ({}) } };
`;

async function shown(packages: Record<string, string>) {
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-shown-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const project = path.join(root, "acme");
  const files: Record<string, string> = {
    "orgloop.yaml": `${HEAD}kind: Project\nsources: [{ id: s, connector: odd, config: { pin: a-hidden-pin, shown: to-all } }]\n`,
    "workspaces/staging.yaml": `${HEAD.replace("acme", "staging")}kind: Workspace\nsources: { s: { config: { pin: another-pin, shown: to-some } } }\n`,
    ...packages,
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(project, name)), { recursive: true });
    await writeFile(path.join(project, name), text);
  }
  const home = path.join(root, "home");
  const { context, said } = recordedContext({ project, home, workspace: "staging" });
  expect(await inspect(context, ["source", "s"], {})).toBe(0);
  expect(await workspaceShow(context, [], {})).toBe(0);
  return JSON.stringify(said);
}

test("what only a package's schema marks secret is hidden where an item or a workspace is shown", async () => {
  const text = await shown({
    "node_modules/odd/package.json": '{ "name": "odd", "type": "module", "main": "index.js" }',
    "node_modules/odd/index.js": PLUGIN,
  });
  expect(text).toContain("to-some");
  expect(text).not.toMatch(/a-hidden-pin|another-pin/);
});

test("where the package is not installed, the item is shown all the same", async () => {
  expect(await shown({})).toContain("to-some");
});
