// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { knownSecrets } from "@orgloop/engine";
import {
  defineConnector,
  defineLogger,
  defineTransform,
  OrgLoopError,
  type PluginDefinition,
  type StandardSchema,
  type Topology,
} from "@orgloop/sdk";
import { memoryClaims } from "@orgloop/stores";
import { expect, test } from "vitest";
import { resolveTopology } from "../apply/resolve-topology.ts";
import { topologyOf } from "../process/process-fixture.ts";
import { type OpenPluginsOptions, openPlugins } from "./open-plugins.ts";

const url: StandardSchema<{ url: string }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof (value as { url?: unknown }).url === "string"
        ? { value: value as { url: string } }
        : { issues: [{ message: "expected text", path: ["url"] }] },
  },
};

function opening(
  topology: Topology,
  packages: Readonly<Record<string, PluginDefinition>>,
  more: Pick<OpenPluginsOptions, "allowPrivate" | "before"> = {},
) {
  return openPlugins({
    ...more,
    topology,
    written: topology,
    known: knownSecrets(),
    projectDir: "/project",
    claims: memoryClaims(),
    now: () => 0,
    warn: () => {},
    open: new Set(),
    lookup: async (name) => {
      const found = packages[name];
      if (found === undefined) throw new OrgLoopError("PLUGIN_NOT_FOUND", `no package ${name}`);
      return found;
    },
  });
}

test("every failure is told at once, and what was open is closed", async () => {
  const closed: string[] = [];
  const actor = {
    config: url,
    create: async ({ url: name }: { url: string }) => {
      if (name === "bad") throw new Error("connection refused");
      return {
        deliver: async () => undefined,
        close: async () => {
          closed.push(name);
          throw new Error("closing fails too");
        },
      };
    },
  };
  const source = {
    config: url,
    create: async () => ({ close: async () => void closed.push("s") }),
  };
  const topology = topologyOf(
    {
      sources: { s: {}, missing: {} },
      actors: { good: {} as never, bad: {} as never, typo: {} as never },
    },
    [],
    {
      configs: {
        s: { url: "s" },
        missing: { url: "m" },
        good: { url: "good" },
        bad: { url: "bad" },
      },
    },
  );
  const opened = opening(topology, {
    "test/source/s": defineConnector({ id: "s", source }),
    "test/source/missing": defineConnector({ id: "missing", actor }),
    "test/actor/good": defineConnector({ id: "good", actor }),
    "test/actor/bad": defineConnector({ id: "bad", actor }),
    "test/actor/typo": defineConnector({ id: "typo", actor }),
  } as Record<string, PluginDefinition>);
  const error = await opened.catch((thrown) => thrown);
  expect(error.code).toBe("PLUGINS_FAILED");
  expect(error.message).toMatch(/^3 items could not be started:/);
  expect(error.message).toContain('source "missing": test/source/missing is nothing that a source');
  expect(error.message).toContain('actor "bad": connection refused');
  expect(error.message).toMatch(/actor "typo": .*url/);
  expect(closed.sort()).toEqual(["good", "s"]);
});

test("transforms and loggers; a script runs in the script transform", async () => {
  const given: unknown[] = [];
  const any: StandardSchema<unknown> = {
    "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) },
  };
  const transform = defineTransform({
    id: "t",
    config: any,
    create: async (config, { id, projectDir }) => {
      given.push([id, projectDir, config]);
      return { execute: async (event) => event };
    },
  });
  const logger = defineLogger({ id: "l", config: any, create: async () => ({ log: () => {} }) });
  const base = { config: {}, timeout_ms: 1, on_error: "pass" } as const;
  const plugins = await opening(
    {
      ...topologyOf({}, []),
      transforms: [
        { ...base, name: "own", type: "script", script: "transforms/own.sh" },
        { ...base, name: "bots", type: "package", package: "filter", config: { match: 1 } },
      ],
      loggers: [{ name: "file", type: "log", config: {} }],
    },
    { "@orgloop/transform-script": transform, filter: transform, log: logger },
  );
  expect(given).toEqual([
    ["own", "/project", { script: "transforms/own.sh" }],
    ["bots", "/project", { match: 1 }],
  ]);
  expect([...plugins.transforms.keys()]).toEqual(["own", "bots"]);
  expect([...plugins.loggers.keys()]).toEqual(["file"]);
});

test("every missing variable is named with all its uses; a prompt is no place for one", () => {
  const topology = topologyOf(
    { sources: { s: {} }, actors: { a: {} as never, b: {} as never } },
    [],
    {
      configs: {
        s: { token: "${TOKEN}", url: "${BASE}/x" },
        a: { headers: [{ value: "Bearer ${TOKEN}" }] },
        b: { set: "${SET}" },
      },
    },
  );
  expect(() => resolveTopology(topology, { SET: "1" })).toThrow(
    expect.objectContaining({
      code: "MISSING_VARIABLES",
      message: expect.stringContaining('  BASE: source "s"\n  TOKEN: source "s", actor "a"'),
    }),
  );
  const env = { SET: "1", TOKEN: "t", BASE: "http://x" };
  const prompt = {
    prompt_file: "p.md",
    prompt: { file: "p.md", text: "echo ${HOME_OF}", meta: null },
  };
  const withPrompt = { ...topology, routes: [{ name: "r", with: prompt }] as never };
  const resolved = resolveTopology(withPrompt, env);
  expect(resolved.sources[0]?.config).toEqual({ token: "t", url: "http://x/x" });
  expect(resolved.actors[0]?.config).toEqual({ headers: [{ value: "Bearer t" }] });
  expect(resolved.routes[0]?.with).toEqual(prompt);
  expect(topology.sources[0]?.config.token).toBe("${TOKEN}");
});

test("an actor reaches what it may, and opened anew where that changes", async () => {
  const reach: unknown[] = [];
  const connector = defineConnector({
    id: "agent",
    actor: {
      config: url,
      async create(_, { fetch, lookup }) {
        const { cause } = await fetch("http://10.1.2.3:0/").catch((error) => error);
        const { promise, resolve } = Promise.withResolvers<unknown>();
        lookup("10.1.2.3", { all: true }, (error) => resolve(Object(error).code));
        reach.push([cause?.code, await promise]);
        return { deliver: async () => undefined };
      },
    },
  }) as PluginDefinition;
  const topology = topologyOf({ actors: { agent: {} as never } }, [], {
    configs: { agent: { url: "u" } },
  });
  const packages = { "test/actor/agent": connector };
  const before = await opening(topology, packages);
  const same = await opening(topology, packages, { before });
  const allowPrivate = ["192.168.0.0/16"];
  const narrower = await opening(topology, packages, { before: same, allowPrivate });
  await opening(topology, packages, { before: narrower, allowPrivate: [...allowPrivate] });
  const refused = ["PRIVATE_ADDRESS", "PRIVATE_ADDRESS"];
  expect(reach).toEqual([[undefined, undefined], refused]);
});

test("what cannot be opened is told without what it holds", async () => {
  const connector = defineConnector({
    id: "agent",
    actor: {
      config: url,
      async create() {
        throw new Error("cannot sign in with Pa55word-of-acme");
      },
    },
  }) as PluginDefinition;
  const topology = topologyOf({ actors: { agent: {} as never } }, [], {
    configs: { agent: { url: "u", password: "Pa55word-of-acme" } },
  });
  const error = await opening(topology, { "test/actor/agent": connector }).catch((it) => it);
  expect(error.message).toContain('actor "agent": cannot sign in with ***');
});
