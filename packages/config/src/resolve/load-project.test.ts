import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { OrgLoopError, type PluginDefinition, type Problem } from "@orgloop/sdk";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "./load-project.ts";

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
const env = { ORGLOOP_HOME: "/dev/null/none" };
const HEAD = "apiVersion: orgloop/v1alpha1\nkind: Project\nmetadata: { name: demo }\n";

const line = (mark: string) => (problem: Problem) =>
  `${mark} ${problem.file}:${problem.line}:${problem.column} ${problem.code} ${problem.path || "."} | ${problem.message}\n`;

describe("bad configuration", () => {
  for (const name of readdirSync(fixture("invalid"))) {
    it(`${name}: every error, at its place, in these words`, async () => {
      const { topology, errors, warnings } = await loadProject({
        path: fixture(`invalid/${name}`),
        env,
      });
      expect(topology).toBeNull();
      const found = errors.map(line("error")).join("") + warnings.map(line("warning")).join("");
      expect(found).toBe(readFileSync(fixture(`invalid/${name}/expected.txt`), "utf8"));
    });
  }
});

describe("an OrgLoop 0.7.9 project", () => {
  it("loads unchanged", async () => {
    const set = {
      GITHUB_REPO: "a/b",
      GITHUB_TOKEN: "t",
      GITHUB_INTERVAL: "1m",
      OPENCLAW_TOKEN: "x",
    };
    const { topology, errors, warnings } = await loadProject({
      path: fixture("v1alpha1"),
      env: { ...env, ...set },
    });
    expect(errors).toEqual([]);
    expect(warnings.map(({ code }) => code)).toEqual(["missing-head"]);
    await expect(`${JSON.stringify(topology, null, 2)}\n`).toMatchFileSnapshot(
      "../../fixtures/v1alpha1.topology.json",
    );
  });

  it("keeps references to the environment, and none of its values, in the Topology", async () => {
    const secret = "ghp_0123456789";
    const { topology, variables } = await loadProject({
      path: fixture("v1alpha1/orgloop.yaml"),
      env: { ...env, GITHUB_TOKEN: secret },
    });
    expect(JSON.stringify(topology)).not.toContain(secret);
    expect(topology?.sources[1]?.config).toEqual({
      repo: "acme/docs",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
      token: "${GITHUB_TOKEN}",
      events: ["pull_request.review_submitted", "issue_comment"],
    });
    const token = variables.filter(({ name }) => name === "GITHUB_TOKEN");
    expect(token.map((use) => ({ ...use }))).toEqual([
      {
        name: "GITHUB_TOKEN",
        file: "connectors/github.yaml",
        line: 10,
        column: 15,
        path: "sources[0].config.token",
        defined: true,
      },
      {
        name: "GITHUB_TOKEN",
        file: "connectors/github.yaml",
        line: 10,
        column: 15,
        path: "sources[1].config.token",
        defined: true,
      },
    ]);
  });
});

const GRAPH = `${HEAD}
sources:
  - { id: hook, connector: "@orgloop/connector-webhook", config: { secret: "\${HOOK_SECRET}" }, emits: [resource.changed] }
  - { id: idle, connector: "@orgloop/connector-cron" }
  - { id: open, connector: "@orgloop/connector-webhook" }
  - { id: gone, connector: "@orgloop/connector-cron", enabled: false }
actors:
  - { id: agent, connector: "@orgloop/connector-exec" }
  - { id: bored, connector: "@orgloop/connector-exec" }
transforms:
  - { name: unused, type: package, package: "@orgloop/transform-filter" }
routes:
  - name: one
    when: { source: [hook, gone], events: [resource.changed] }
    then: { actor: agent }
  - name: two
    when: { source: hook, events: [resource.changed, actor.stopped] }
    then: { actor: agent }
  - name: three
    when: { source: open, events: resource.changed }
    then: { actor: agent }
  - { name: off, enabled: false, when: { source: idle, events: [actor.stopped] }, then: { actor: bored } }
`;

describe("warnings", () => {
  it("tells what the graph leaves idle", async () => {
    const { topology, errors, warnings } = await loadProject({
      path: temporaryProject({ "orgloop.yaml": GRAPH }),
      env: { ...env, HOOK_SECRET: "s" },
    });
    expect(errors).toEqual([]);
    expect(warnings.map(line("")).map((text) => text.trim())).toEqual([
      'orgloop.yaml:7:11 dead-source sources[1].id | no route takes the events of source "idle"',
      'orgloop.yaml:12:11 unreachable-actor actors[1].id | no route leads to actor "bored"',
      'orgloop.yaml:14:13 orphan-transform transforms[0].name | no route uses transform "unused"',
      'orgloop.yaml:17:28 disabled-reference routes[0].when.source[1] | source "gone" is switched off (enabled: false) at orgloop.yaml:9:5',
      'orgloop.yaml:20:54 event-type-mismatch routes[1].when.events[1] | "actor.stopped" is not among what hook emits: resource.changed',
    ]);
    expect(topology?.sources.map(({ id }) => id)).toEqual(["hook", "idle", "open"]);
    expect(topology?.routes.map(({ name }) => name)).toEqual(["one", "two", "three"]);
  });

  it("tells of a secret that is written out, and not of a reference or of where one is", async () => {
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: a reference of the language
    const text = `${HEAD}actors:
  - { id: a, connector: x, config: { url: u, secret: hunter2, auth: { token: "\${TOKEN}" } } }
  - { id: b, connector: x, config: { auth_token_env: TOKEN, max_tokens: 5, headers: [{ authorization: Bearer x }] } }
`;
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: a reference of the language
    const { warnings } = await loadProject({
      path: temporaryProject({ "orgloop.yaml": text }),
      env: { ...env, TOKEN: "t" },
    });
    const reported = warnings.filter(({ code }) => code === "secret-written-out");
    expect(reported.map(({ line, path }) => [line, path])).toEqual([
      [5, "actors[0].config.secret"],
      [6, "actors[1].config.headers[0].authorization"],
    ]);
    expect(JSON.stringify(reported)).not.toContain("hunter2");
  });

  it("tells of a password in the bus's URL, and not of a reference", async () => {
    const load = (bus: string) =>
      loadProject({ path: temporaryProject({ "orgloop.yaml": `${HEAD}bus: ${bus}\n` }), env });
    expect((await load("nats://me:hunter2@host:4222")).warnings).toMatchObject([
      { line: 4, column: 6, path: "bus", code: "secret-in-url" },
    ]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
    expect((await load('"nats://me:${NATS_PASSWORD}@host:4222"')).warnings).toMatchObject([
      { code: "missing-variable", column: 17 },
    ]);
  });
});

describe("references", () => {
  it("to an actor that is switched off is an error", async () => {
    const text = GRAPH.replace('connector-exec" }', 'connector-exec", enabled: false }');
    const { errors } = await loadProject({ path: temporaryProject({ "orgloop.yaml": text }), env });
    expect(errors.map(({ code, line: at }) => `${code} ${at}`)).toEqual([
      "disabled-reference 18",
      "disabled-reference 21",
      "disabled-reference 24",
    ]);
  });

  it("are not reported missing where a file that may hold them cannot be read", async () => {
    const { errors } = await loadProject({
      path: temporaryProject({
        "orgloop.yaml": `${HEAD}connectors: [broken.yaml]\n`,
        "broken.yaml": "sources: [",
        "routes/a.yaml":
          "apiVersion: orgloop/v1alpha1\nkind: RouteGroup\nroutes:\n  - { name: a, when: { source: x, events: [resource.changed] }, then: { actor: y } }\n",
      }),
      env,
    });
    expect(errors.map(({ file, code }) => [file, code])).toEqual([["broken.yaml", "yaml"]]);
  });
});

describe("defaults and vars", () => {
  it("fills in what nobody says", async () => {
    const path = temporaryProject({ "orgloop.yaml": HEAD });
    expect((await loadProject({ path, env })).topology).toEqual({
      project: "demo",
      workspace: "default",
      bus: { url: "file" },
      defaults: {
        poll_interval: "5m",
        event_retention: "7d",
        log_level: "info",
        checkpoint: { store: "file" },
        wal: { rotate: { max_size: "64mb", max_age: "1h" } },
      },
      sources: [],
      actors: [],
      routes: [],
      transforms: [],
      loggers: [],
    });
  });

  it("lays route over project over user over built-in", async () => {
    const home = temporaryProject({
      "config.yaml":
        "defaults: { poll_interval: 1h, log_level: debug, delivery: { timeout: 9s, burst: 2 } }\n",
    });
    const path = temporaryProject({
      "orgloop.yaml": `${GRAPH}
defaults:
  poll_interval: 2m
  delivery: { queue_depth: 7, burst: 3, retry: { max_attempts: 9 }, circuit_breaker: false }
`.replace(
        "then: { actor: agent }",
        "then: { actor: agent, delivery: { retry: { backoff: fixed }, burst: 4 } }",
      ),
    });
    const { topology } = await loadProject({ path, env: { ORGLOOP_HOME: home } });
    expect(topology?.defaults).toMatchObject({ poll_interval: "2m", log_level: "debug" });
    expect(topology?.routes[0]?.delivery).toEqual({
      burst: 4,
      overflow: "drop_oldest",
      timeout: "9s",
      order: "key",
      concurrency: 16,
      queue_depth: 7,
      retry: {
        max_attempts: 9,
        backoff: "fixed",
        initial_delay: "1s",
        max_delay: "60s",
        max_retry_after: "1h",
        jitter: "full",
      },
      circuit_breaker: false,
    });
    expect(topology?.routes[1]?.delivery).toMatchObject({
      burst: 3,
      retry: { backoff: "exponential" },
    });
  });

  it("replaces vars, which keep their type where they stand alone", async () => {
    const { topology, errors } = await loadProject({
      path: temporaryProject({
        // biome-ignore-start lint/suspicious/noTemplateCurlyInString: references of the language
        "orgloop.yaml": `${HEAD}
vars: { depth: 12, api: "https://api.test", on: false, key: "\${API_KEY}" }
actors:
  - id: a
    connector: x
    queue_depth: "\${vars.depth}"
    config: { url: "\${vars.api}/v\${vars.depth}", key: "\${vars.key}" }
  - { id: b, connector: x, enabled: "\${vars.on}" }
`,
        // biome-ignore-end lint/suspicious/noTemplateCurlyInString: references of the language
      }),
      env: { ...env, API_KEY: "k" },
    });
    expect(errors).toEqual([]);
    expect(topology?.actors).toEqual([
      {
        id: "a",
        connector: "x",
        queue_depth: 12,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
        config: { url: "https://api.test/v12", key: "${API_KEY}" },
      },
    ]);
  });

  it("freezes the Topology to its leaves", async () => {
    const { topology } = await loadProject({ path: fixture("v1alpha1"), env });
    const visit = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      expect(Object.isFrozen(value)).toBe(true);
      for (const item of Object.values(value)) visit(item);
    };
    visit(topology);
  });
});

describe("plugins", () => {
  const connector: PluginDefinition = {
    kind: "connector",
    id: "cron",
    source: {
      config: z.strictObject({
        url: z.url(),
        every: z.number(),
        nested: z.strictObject({}).optional(),
      }),
      create: () => Promise.reject(new Error("not created by config")),
    },
  };
  const lookup = async (name: string) => {
    if (name === "@orgloop/connector-cron") return connector;
    if (name === "broken") throw new Error("it does not parse");
    throw new OrgLoopError("PLUGIN_NOT_FOUND", `no ${name}`);
  };

  it("warns of a source that could verify its requests and does not", async () => {
    const receiver: PluginDefinition = {
      ...connector,
      source: { ...connector.source, config: z.strictObject({ secret: z.string().optional() }) },
    } as PluginDefinition;
    const { errors, warnings } = await loadProject({
      path: temporaryProject({ "orgloop.yaml": GRAPH }),
      env,
      lookup: async (name) =>
        /-(webhook|cron)$/.test(name) ? receiver : Promise.reject(new Error("not asked")),
    });
    expect(errors.map(({ code }) => code)).toEqual(["broken-package", "broken-package"]);
    expect(warnings.map(({ path, code }) => `${code} ${path}`)).toContain(
      "no-secret sources[2].id",
    );
    expect(warnings.map(({ path }) => path)).not.toContain("sources[0].id");
  });

  it("checks every config against its package", async () => {
    const { errors, warnings } = await loadProject({
      path: temporaryProject({
        "orgloop.yaml": `${HEAD}
sources:
  - { id: a, connector: "@orgloop/connector-cron", config: { url: nowhere, evry: 5, nested: { x: 1 } } }
  - { id: b, connector: "@orgloop/connector-cron", config: { url: "\${URL}", every: 5 } }
  - { id: c, connector: "@orgloop/connector-none" }
  - { id: d, connector: "@orgloop/connector-none" }
actors:
  - { id: e, connector: "@orgloop/connector-cron" }
  - { id: f, connector: broken }
loggers:
  - { name: g, type: "@orgloop/connector-cron" }
`,
      }),
      env: { ...env, URL: "x" },
      lookup,
    });
    expect(errors.map(line("")).map((text) => text.trim())).toEqual([
      'orgloop.yaml:6:60 missing-key sources[0].config.every | "every" is missing: expected a number',
      "orgloop.yaml:6:67 invalid-value sources[0].config.url | Invalid URL",
      'orgloop.yaml:8:25 missing-package sources[2].connector | package "@orgloop/connector-none" is not installed (1 more use it)',
      'orgloop.yaml:11:25 wrong-package actors[0].connector | package "@orgloop/connector-cron" has no actor: it serves sources only',
      'orgloop.yaml:12:25 broken-package actors[1].connector | package "broken" cannot be loaded: it does not parse',
      'orgloop.yaml:14:22 wrong-package loggers[0].type | package "@orgloop/connector-cron" is a connector, not a logger',
    ]);
    expect(warnings.map(line("")).map((text) => text.trim())).toEqual([
      'orgloop.yaml:6:76 unknown-key sources[0].config.evry | unknown key "evry" is ignored: did you mean "every"? (known: url, every, nested)',
      'orgloop.yaml:6:95 unknown-key sources[0].config.nested.x | unknown key "x" is ignored',
    ]);
  });
});

describe("finding the project", () => {
  it("says what to do where there is none", async () => {
    const path = temporaryProject({});
    const { topology, errors } = await loadProject({ path, env });
    expect(topology).toBeNull();
    expect(errors).toMatchObject([
      { file: "orgloop.yaml", line: 1, column: 1, code: "no-project" },
    ]);
    expect(errors[0]?.message).toContain("orgloop init");
  });
});
