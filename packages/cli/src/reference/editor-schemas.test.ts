// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
import { globSync, readdirSync, readFileSync } from "node:fs";
import { jsonSchemas } from "@orgloop/config/editor";
import { OWN_PACKAGES, pluginLookup } from "@orgloop/node";
import { isMapping } from "@orgloop/sdk";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { TextDocument } from "vscode-languageserver-textdocument";
import { parse } from "yaml";
import { getLanguageService } from "yaml-language-server";
import { ownReferences } from "./named-packages.ts";
import { usageExample } from "./usage-example.ts";

const ROOT = new URL("../../../../", import.meta.url);
const SCHEMAS = new URL("packages/config/schemas/", ROOT);
const references = await ownReferences(
  OWN_PACKAGES,
  pluginLookup({ projectDir: import.meta.dirname }),
);
const schemas = jsonSchemas(references);

it("the committed schemas are those of the loader and the plug-ins (else: npm run reference)", () => {
  expect(readdirSync(SCHEMAS).sort()).toEqual(Object.keys(schemas).sort());
  for (const [file, schema] of Object.entries(schemas)) {
    expect(JSON.parse(readFileSync(new URL(file, SCHEMAS), "utf8"))).toEqual(schema);
  }
});

it("every key of every mapping has a description", () => {
  const bare: string[] = [];
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== "object" || schema === null) return;
    for (const [key, value] of Object.entries(schema)) {
      const properties = key === "properties" ? Object.entries(value as object) : [];
      for (const [name, one] of properties) {
        // Of a condition: what it asks of the key is no description of it.
        const asks = one === true || Object.keys(one).every((word) => word === "$ref");
        if (!asks && !one.description && !one.enum && one.const === undefined) {
          bare.push(`${path}.${name}`);
        }
      }
      visit(value, `${path}.${key}`);
    }
  };
  for (const [file, schema] of Object.entries(schemas)) visit(schema, file);
  expect(bare).toEqual([]);
});

/** Every file is loaded by a validator that takes nothing it does not know. */
const validator = new Ajv2020({ strict: true, allErrors: true });
for (const schema of Object.values(schemas)) validator.addSchema(schema);
const HOME = "https://orgloop.dev/schemas/v1alpha1";
const isValid = validator.getSchema(`${HOME}/orgloop.json`);
/** What is wrong: that a condition failed says only that something in it is. */
function wrong(document: unknown): readonly string[] {
  if (isValid?.(document)) return [];
  const errors = (isValid?.errors ?? []).filter(({ keyword }) => keyword !== "if");
  return errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
}

it("a strict validator loads all of them", () => {
  for (const file of Object.keys(schemas)) {
    expect(validator.getSchema(`${HOME}/${file}`)).toBeTypeOf("function");
  }
});

it("examples, modules and their templates, and what init writes are valid", () => {
  const files = globSync("{examples,modules,packages/cli/templates}/**/*.{yaml,yml}", {
    cwd: ROOT,
    // What `init` adds to a workspace of another template is a part of a file.
    exclude: (name) => name.includes("node_modules") || /connectors\/\w+\/workspaces/.test(name),
  });
  const refused = files.flatMap((file) => {
    const errors = wrong(parse(readFileSync(new URL(file, ROOT), "utf8"), { merge: true }));
    return errors.map((error) => `${file}${error}`);
  });
  expect(refused).toEqual([]);
  expect(files.length).toBeGreaterThan(50);
});

const GROUPS: Readonly<Record<string, object>> = {
  sources: { kind: "ConnectorGroup" },
  actors: { kind: "ConnectorGroup" },
  transforms: { kind: "TransformGroup" },
  loggers: { kind: "LoggerGroup" },
  modules: { kind: "Project", metadata: { name: "p" } },
};
const inGroup = (items: Readonly<Record<string, unknown>>): object => ({
  apiVersion: "orgloop/v1alpha1",
  ...GROUPS[Object.keys(items)[0] ?? ""],
  ...items,
});

/** Every value that a parameter can be, as one; names of packages and kinds of transforms stay. */
function withParams(value: unknown, key = ""): unknown {
  if (["connector", "type", "package"].includes(key)) return value;
  if (Array.isArray(value)) {
    return value.some(isMapping) ? value.map((one) => withParams(one)) : "{{ params.x }}";
  }
  if (!isMapping(value)) return "{{ params.x }}";
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([name, one]) => [name, withParams(one, name)]));
}

it.each(
  references.flatMap((reference) =>
    reference.roles.map((role) => [role.title, reference, role] as const),
  ),
)(
  "%s: its example is valid, and a parameter or a reference may stand anywhere in it",
  (...given) => {
    const [, reference, role] = given;
    const example = parse(usageExample(reference, role));
    expect(wrong(inGroup(example))).toEqual([]);
    expect(wrong(inGroup(withParams(example) as Record<string, unknown>))).toEqual([]);
    // Every single setting, which the example does not have all of.
    for (const setting of role.settings ?? []) {
      if (setting.name.includes(".") || setting.name.includes("[")) continue;
      const [list, [item]] = Object.entries(example)[0] as [string, [Record<string, object>]];
      const key = role.role === "module" ? "params" : "config";
      const settings = { ...item[key], [setting.name]: setting.example };
      const whole =
        reference.id === "script" ? { ...item, ...settings } : { ...item, [key]: settings };
      expect(wrong(inGroup({ [list]: [whole] }))).toEqual([]);
      expect(wrong(inGroup({ [list]: [withParams(whole)] }))).toEqual([]);
    }
  },
);

const ROUTE = {
  name: "r",
  when: {
    source: ["s"],
    events: ["resource.changed"],
    filter: {
      "payload.a": [{ prefix: "x" }, { numeric: [">", 1] }, { exists: true }, "y", 1, null],
      "payload.b": 3,
      $or: [
        { "payload.c": [{ "anything-but": ["x"] }] },
        { "payload.d": [{ cidr: "10.0.0.0/8" }] },
      ],
    },
  },
  then: { actor: "a", config: { text: "{{payload.a}}" } },
  delivery: {
    max_rate: "1/s",
    burst: 2,
    overflow: "block",
    timeout: "1s",
    order: "none",
    concurrency: 3,
    retry: { max_attempts: 2, backoff: "fixed", jitter: "none" },
    circuit_breaker: { failure_threshold: 2 },
  },
  enabled: true,
};

it("parameters may stand anywhere in a route, a switched off breaker where one is described", () => {
  const group = (route: unknown) => ({
    apiVersion: "orgloop/v1alpha1",
    kind: "RouteGroup",
    routes: [route],
  });
  expect(wrong(group(ROUTE))).toEqual([]);
  expect(wrong(group(withParams(ROUTE)))).toEqual([]);
  const off = { ...ROUTE, delivery: { circuit_breaker: false } };
  expect(wrong(group(off))).toEqual([]);
});

/** What editors run (YAML Language Server), over the committed files. */
const service = getLanguageService({
  schemaRequestService: async (uri) =>
    JSON.stringify(schemas[uri.slice(uri.lastIndexOf("/") + 1)] ?? {}),
  workspaceContext: { resolveRelativePath: (name, from) => new URL(name, from).href },
});
service.configure({
  validate: true,
  completion: true,
  schemas: [{ uri: `${HOME}/orgloop.json`, fileMatch: ["*.yaml"] }],
});
let documents = 0;
const open = (text: string) =>
  TextDocument.create(
    `file:///${documents++}.yaml`,
    "yaml",
    1,
    `apiVersion: orgloop/v1alpha1\n${text}`,
  );

const source = (rest: string) => `kind: ConnectorGroup\nsources:\n  - id: s\n    ${rest}\n`;
const actor = (rest: string) => `kind: ConnectorGroup\nactors:\n  - id: a\n    ${rest}\n`;
const route = (rest: string) =>
  `kind: RouteGroup\nroutes:\n  - name: r\n    when: { source: s, events: [resource.changed] }\n    then: { actor: a }\n    ${rest}\n`;
const config = (name: string, text: string) =>
  `connector: "@orgloop/connector-${name}"\n    config: ${text}`;
const project = (rest: string) => `kind: Project\nmetadata: { name: p }\n${rest}\n`;

it.each([
  ["a package of ours that there is not", source('connector: "@orgloop/connector-githb"'), 5],
  ["a short name", source("connector: github"), 5],
  ["a source of what has none", source('connector: "@orgloop/connector-exec"'), 5],
  ["a wrong key", source(config("github", "{ repo: a/b, tokn: x }")), 6],
  ["a wrong key that is needed", actor(config("exec", "{ comand: x }")), 6],
  [
    "a wrong key inside",
    actor(config("webhook", "{ url: http://x, auth: { type: bearer, tokn: x } }")),
    6,
  ],
  ["a wrong kind of it", actor(config("webhook", "{ url: http://x, auth: { type: bearr } }")), 6],
  ["a wrong choice", actor(config("webhook", "{ url: http://x, method: GET }")), 6],
  ["a wrong type", source(config("github", "{ repo: a/b, rate_budget: lots }")), 6],
  ["no config where one is needed", actor('connector: "@orgloop/connector-file"'), 4],
  [
    "a wrong choice in a list",
    source(config("cron", "{ schedules: [{ name: a, cron: every 5m, catch_up: al }] }")),
    6,
  ],
  ["a number for a switch", route("enabled: 5"), 7],
  ["a wrong word", route("delivery: { overflow: drop_oldst }"), 7],
  ["a rate without a unit", route("delivery: { max_rate: 10 }"), 7],
  ["a breaker that is on", route("delivery: { circuit_breaker: true }"), 7],
  ["a wrong key of a breaker", route("delivery: { circuit_breaker: { coldown: 3s } }"), 7],
  [
    "an operator that there is not",
    route("").replace("resource.changed]", "resource.changed], filter: { a: [{ prefx: x }] }"),
    5,
  ],
  [
    "an operator that is in no list",
    route("").replace("resource.changed]", "resource.changed], filter: { a: { prefix: x } }"),
    5,
  ],
  ["an event that there is not", route("").replace("resource.changed", "resource.change"), 5],
  ["a key that is needed, mistyped", route("").replace("source", "sorce"), 5],
  ["a list that there is not", "kind: RouteGroup\nrotes: []\n", 3],
  ["a kind that there is not", "kind: RouteGrop\n", 2],
  [
    "a transform's settings",
    'kind: TransformGroup\ntransforms: [{ name: t, type: package, package: "@orgloop/transform-dedup", config: { windw: 5m } }]\n',
    3,
  ],
  ["a script without a file", "kind: TransformGroup\ntransforms: [{ name: t, type: script }]\n", 3],
  [
    "a logger that is a connector",
    'kind: LoggerGroup\nloggers: [{ name: l, type: "@orgloop/connector-file" }]\n',
    3,
  ],
  [
    "a parameter that there is not",
    project('modules: [{ package: "@orgloop/module-code-review", params: { github_sorce: x } }]'),
    4,
  ],
  [
    "inline, a wrong type",
    project(
      'actors: [{ id: a, connector: "@orgloop/connector-file", config: { path: x, fsync: maybe } }]',
    ),
    4,
  ],
  ["a bus that there is not", project("bus: fil"), 4],
])("one mistake is one error at its place: %s", async (_, text, line) => {
  const document = open(text);
  const shown = await service.doValidation(document, false);
  expect(shown.map(({ range }) => range.start.line + 1)).toEqual([line]);
  expect(wrong(parse(document.getText()))).toHaveLength(1);
});

it.each([
  [
    "a connector of somebody else",
    source('connector: "@acme/connector-board"\n    config: { any: 1 }'),
  ],
  ["one without a scope", source("connector: orgloop-board")],
  ["a module of the project", project("modules: [{ package: ./modules/x, params: { any: 1 } }]")],
  [
    "references",
    source(config("github", '{ repo: "${R}", rate_budget: "${B}", base_url: "${U}" }')),
  ],
  ["what v1alpha1 had", source(config("webhook", "{ path: /hook, hook_type: stop }"))],
])("right is no error: %s", async (_, text) => {
  const document = open(text);
  expect(await service.doValidation(document, false)).toEqual([]);
  expect(wrong(parse(document.getText()))).toEqual([]);
});

async function completed(text: string): Promise<readonly string[]> {
  const at = open(text).getText().indexOf("^");
  const document = open(text.replace("^", ""));
  const { items } = await service.doComplete(document, document.positionAt(at), false);
  return items.map(({ label }) => label);
}

it("operators, names and settings complete", async () => {
  const operators = await completed(
    "kind: RouteGroup\nroutes:\n  - name: r\n    when:\n      source: s\n      events: [resource.changed]\n      filter:\n        payload.a:\n          - ^\n    then: { actor: a }\n",
  );
  expect(operators).toEqual(expect.arrayContaining(["prefix", "anything-but", "numeric", "cidr"]));
  expect(await completed(source("connector: ^"))).toContain('"@orgloop/connector-github"');
  expect(await completed(source(config("github", "\n      ^")))).toContain("initial_lookback");
  expect(await completed(actor(config("webhook", "\n      method: ^")))).toEqual(["POST", "PUT"]);
  expect(
    await completed("kind: RouteGroup\nroutes:\n  - name: r\n    delivery:\n      overflow: ^\n"),
  ).toContain("drop_newest");
  expect(await completed("kind: RouteGroup\nroutes:\n  - name: r\n    enabled: ^\n")).toEqual([
    "true",
    "false",
  ]);
});
