import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { PluginReference } from "@orgloop/config";
import { afterEach, beforeEach, expect, it } from "vitest";
import { recordedContext } from "./command-fixture.ts";
import { connectorsList } from "./connectors-list.ts";
import { connectorsShow } from "./connectors-show.ts";

let project: string;
const EXTENDING = path.resolve(import.meta.dirname, "../../../../examples/extending");

beforeEach(() => {
  project = mkdtempSync(path.join(tmpdir(), "orgloop-connectors-"));
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

const at = (folder: string) =>
  recordedContext({ project: folder, home: folder, workspace: "default" });

interface Listed {
  readonly name: string;
  readonly origin: string;
  readonly problem?: string;
  readonly roles?: readonly { readonly role: string; readonly description: string }[];
}

it("lists what comes with OrgLoop where there is no project", async () => {
  const { context, said } = at(project);
  expect(await connectorsList(context, [], {})).toBe(0);
  const all = said.answers[0] as unknown as Listed[];
  const webhook = all.find(({ name }) => name === "@orgloop/connector-webhook");
  expect(webhook?.roles?.map(({ role }) => role)).toEqual(["source", "actor"]);
  expect(all.map(({ name }) => name)).toContain("@orgloop/module-code-review");
  expect(new Set(all.map(({ origin }) => origin))).toEqual(new Set(["orgloop"]));
  expect(said.texts[0]).toContain("Polls repositories for issues");
});

it("lists what the project adds: what it names, its plug-ins, its modules; nothing else", async () => {
  installBoard();
  mkdirSync(path.join(project, "node_modules/left-pad"));
  writeFileSync(path.join(project, "node_modules/left-pad/package.json"), '{"name":"left-pad"}');
  writeFileSync(
    path.join(project, "package.json"),
    JSON.stringify({ dependencies: { "@acme/connector-board": "*", "left-pad": "*" } }),
  );
  mkdirSync(path.join(project, "modules/review"), { recursive: true });
  writeFileSync(
    path.join(project, "modules/review/orgloop-module.yaml"),
    "apiVersion: orgloop/v1alpha1\nkind: Module\nmetadata: { name: review, description: Reviews. }\n",
  );
  writeFileSync(
    path.join(project, "orgloop.yaml"),
    "apiVersion: orgloop/v1alpha1\nkind: Project\nmetadata: { name: p }\nactors: [{ id: a, connector: connector-gone }]\n",
  );
  const { context, said } = at(project);
  await connectorsList(context, [], {});
  const own = (said.answers[0] as unknown as Listed[]).filter(({ origin }) => origin === "project");
  expect(own.map(({ name, problem }) => [name, problem === undefined])).toEqual([
    ["./modules/review", true],
    ["@acme/connector-board", true],
    ["connector-gone", false],
  ]);
  expect(own[1]?.roles?.[0]?.description).toBe("Reads the notes of a board, and adds notes to it.");
});

it.each([["github"], ["@orgloop/connector-github"]])("shows every setting of %s", async (name) => {
  const { context, said } = at(project);
  expect(await connectorsShow(context, [name], {})).toBe(0);
  const [role] = (said.answers[0] as unknown as PluginReference).roles;
  const settings = role?.settings ?? [];
  expect(settings.map((one) => one.name)).toEqual(Object.keys(role?.schema?.properties as object));
  expect(settings[2]).toEqual({
    name: "token",
    type: "text",
    required: false,
    description:
      "A personal or app token that may read them. Without one GitHub allows 60 requests an hour.",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
    example: "${GITHUB_TOKEN}",
    secret: true,
    deprecated: false,
  });
  expect(said.texts[0]).toContain("initial_lookback  duration, default 7d");
  expect(said.texts[0]).toContain('connector: "@orgloop/connector-github"');
});

it("shows a plug-in of somebody else, by what its schema says", async () => {
  installBoard();
  const { context, said } = at(project);
  await connectorsShow(context, ["@acme/connector-board"], {});
  expect(said.texts[0]).toContain("token  text, required, secret");
  expect(said.texts[0]).toContain("What the board knows us by.");
});

it("shows what a script and a module take", async () => {
  const script = at(project);
  await connectorsShow(script.context, ["script"], {});
  expect(script.said.texts[0]).toContain("type: script\n      script: ./scripts/redact.py");
  const module = at(project);
  await connectorsShow(module.context, ["code-review"], {});
  expect(module.said.texts[0]).toContain("github_source  id of a source, required");
});

it("names the nearest where there is none of that name", async () => {
  const { context } = at(project);
  await expect(connectorsShow(context, ["githb"], {})).rejects.toThrow('did you mean "github"?');
});

function installBoard(): void {
  const target = path.join(project, "node_modules/@acme/connector-board");
  cpSync(path.join(EXTENDING, "packages/connector-board"), target, { recursive: true });
  for (const name of ["zod", "@orgloop/sdk"]) {
    const from = path.resolve(EXTENDING, "../../node_modules", name);
    mkdirSync(path.dirname(path.join(project, "node_modules", name)), { recursive: true });
    symlinkSync(from, path.join(project, "node_modules", name));
  }
}
