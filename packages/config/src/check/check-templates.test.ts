// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
import { defineConnector, defineTransform, type PluginDefinition } from "@orgloop/sdk";
import { anyConfig } from "@orgloop/testkit";
import { describe, expect, test } from "vitest";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "../resolve/load-project.ts";

const ACTOR = { id: "a", connector: "test-connector", config: {} as object };
const ROUTE = {
  name: "r",
  when: { source: "s", events: ["resource.changed"] } as object,
  then: { actor: "a" } as object,
};

interface Parts {
  readonly actor?: object;
  readonly route?: object;
  readonly source?: object;
  readonly transforms?: readonly object[];
  readonly prompt?: string;
}

const create = () => Promise.reject(new Error("nothing is created"));
const PLUGINS: Record<string, PluginDefinition> = {
  "test-connector": defineConnector({
    id: "test",
    source: { config: anyConfig(), templates: [], create },
    actor: { config: anyConfig(), templates: ["url", "body"], create },
  }),
  "@orgloop/transform-enrich": defineTransform({ id: "enrich", config: anyConfig(), create }),
  "@test/filter": defineTransform({
    id: "filter",
    config: anyConfig(),
    paths: ["match", "key"],
    create,
  }),
};

async function load({ actor, route, source, transforms = [], prompt }: Parts) {
  const project = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "acme" },
    sources: [{ id: "s", connector: "test-connector", ...source }],
    actors: [{ ...ACTOR, ...actor }],
    routes: [{ ...ROUTE, ...route }],
    transforms,
  };
  const path = temporaryProject({
    "orgloop.yaml": JSON.stringify(project, null, 2),
    ...(prompt !== undefined && { "p.md": prompt }),
  });
  const lookup = async (name: string) => PLUGINS[name] as PluginDefinition;
  const { errors, warnings } = await loadProject({ path, env: {}, lookup });
  const said = (codes: readonly string[], found: typeof errors) =>
    found.filter(({ code }) => codes.includes(code)).map((one) => `${one.path}: ${one.message}`);
  return {
    errors,
    warnings,
    bad: said(["bad-template", "bad-reference"], errors),
    unknown: said(["unknown-root"], warnings).map((text) => text.replace(/\? Paths.*/s, "?")),
  };
}

const config = (text: string) => ({ route: { then: { actor: "a", config: { text } } } });
const filter = (when: object) => ({
  route: { when: { source: "s", events: ["resource.changed"], filter: when } },
});

describe("a template that can mean nothing is an error", () => {
  test.each([
    ["see {{payload.title", "is not closed"],
    ["{{payload.title}", "is not closed"],
    ["{{payload..title}}", "{{payload..title}}"],
    ["{{payload.constructor}}", "{{payload.constructor}}"],
    ["{{ }}", "is not a path"],
    ["${NAME", "${ is not closed"],
    ["${vars.api", "${ is not closed"],
  ])("%s", async (text, message) => {
    const { bad } = await load(config(text));
    expect(bad).toEqual([expect.stringContaining(message)]);
    expect(bad[0]).toMatch(/^routes\[0\]\.then\.config\.text: /);
    const { bad: inActor } = await load({ actor: { config: { body: [{ deep: text }] } } });
    expect(inActor).toEqual([expect.stringContaining(message)]);
  });

  test("at its place in the text", async () => {
    const { errors } = await load(config("{{payload.title}} and {{payload..x}}"));
    expect(errors).toMatchObject([{ line: 32, column: 42, code: "bad-template" }]);
  });

  test("not where nothing is filled in: nested values, keys that are no templates", async () => {
    const then = { actor: "a", config: { nested: { text: "{{x" } } };
    const { errors, unknown } = await load({
      route: { then },
      actor: { config: { command: "{{" } },
    });
    expect([errors, unknown]).toEqual([[], []]);
  });

  test("in a prompt that is filled in, at its own place", async () => {
    const route = { with: { prompt_file: "p.md" } };
    const prompt =
      "---\r\ninterpolate: true\r\n---\r\nHello\r\n{{payload.a}} {{payload..b}} {{action}}\r\n";
    const { errors, warnings } = await load({ route, prompt });
    expect(errors).toMatchObject([{ file: "p.md", line: 5, column: 15 }]);
    expect(warnings).toMatchObject([{ file: "p.md", line: 5, column: 30, code: "unknown-root" }]);
    const plain = await load({ route, prompt: prompt.replace("true", "false") });
    expect([plain.errors, plain.unknown]).toEqual([[], []]);
  });
});

describe("an unknown root is a warning with the nearest path", () => {
  test.each([
    ["action", "payload.action"],
    ["paylod.action", "payload.action"],
    ["Payload.x", "payload.x"],
    ["event.payload.x", "payload.x"],
    ["title", "payload.title"],
    ["provenence.platform", "provenance.platform"],
  ])("%s in a filter", async (path, meant) => {
    const message = `did you mean "${meant}"?`;
    const found = await load(filter({ [path]: "x", $or: [{ [path]: 1 }, { "payload.y": 2 }] }));
    expect(found.errors).toEqual([]);
    expect(found.unknown).toHaveLength(2);
    for (const text of found.unknown) expect(text).toContain(message);
  });

  test.each([
    ["{{event.paylod.x}}", "payload.x"],
    ["{{event.event.payload.x}}", "payload.x"],
    ["{{event.launch_prompt}}", "payload.launch_prompt"],
  ])("behind `event` in %s, too", async (text, meant) => {
    const { unknown } = await load(config(text));
    expect(unknown).toEqual([expect.stringContaining(`did you mean "${meant}"?`)]);
    expect((await load(config("{{event}} {{event.id}} {{event.payload.a}}"))).unknown).toEqual([]);
  });

  test("in templates, ordering keys and the paths of transforms", async () => {
    const { unknown } = await load({
      source: { key: "repository" },
      actor: { config: { url: "https://a.test/{{action}}", body: { x: "{{confg.a}}" } } },
      route: {
        then: { actor: "a", config: { text: "{{config.x}} {{paylod.y}}" } },
        delivery: { key: "pull_request.number" },
        transforms: [{ ref: "t" }],
      },
      transforms: [
        {
          name: "t",
          type: "@test/filter",
          config: { match: { actoin: 1 }, key: ["payload.x", "sourc"] },
        },
      ],
    });
    const path = (text: string) => `${text.split(": ")[0]} ${/mean "(.*)"/.exec(text)?.[1]}`;
    expect(unknown.map(path).toSorted()).toEqual([
      "actors[0].config.body.x config.a",
      "actors[0].config.url payload.action",
      "routes[0].delivery.key payload.pull_request.number",
      "routes[0].then.config.text payload.config.x",
      "routes[0].then.config.text payload.y",
      "sources[0].key payload.repository",
      "transforms[0].config.key[1] source",
      "transforms[0].config.match.actoin payload.actoin",
    ]);
  });

  test("every root that there is passes, and what an enrich sets", async () => {
    const roots = ["payload.a", "event.payload.a", "provenance.x", "id", "prompt", "launch_prompt"];
    const text = [...roots, "prompt.file", "coalesced", "route", "made.by"].map((r) => `{{${r}}}`);
    const { errors, unknown } = await load({
      ...config(text.join(" ")),
      transforms: [
        { name: "e", type: "@orgloop/transform-enrich", config: { set: { "made.by": 1 } } },
      ],
    });
    expect([errors, unknown]).toEqual([[], []]);
  });
});

describe("a placeholder where nothing is filled in is a warning at its place", () => {
  const unfilled = async (parts: Parts) =>
    (await load(parts)).warnings
      .filter(({ code }) => code === "unfilled-template")
      .map(({ file, path, message }) => `${file} ${path} ${message.split(" stays")[0]}`);
  const at = (path: string, placeholder = "{{payload.x}}") => [
    `orgloop.yaml ${path} ${placeholder}`,
  ];
  const x = "{{payload.x}}";

  test.each<[string, Parts, string[]]>([
    [
      "then.config, deeper",
      { route: { then: { actor: "a", config: { deep: { list: [x] } } } } },
      at("routes[0].then.config.deep.list[0]"),
    ],
    [
      "a key of then.config",
      { route: { then: { actor: "a", config: { [x]: "text" } } } },
      at(`routes[0].then.config["${x}"]`),
    ],
    ["a filter", filter({ "payload.y": x }), at('routes[0].when.filter["payload.y"]')],
    [
      "headers",
      { actor: { config: { headers: { "x-id": `id ${x}` } } } },
      at("actors[0].config.headers.x-id"),
    ],
    [
      "a key of a template",
      { actor: { config: { body: { [x]: 1 } } } },
      at(`actors[0].config.body["${x}"]`),
    ],
    [
      "a source",
      { source: { config: { channel: "{{title}}" } } },
      at("sources[0].config.channel", "{{title}}"),
    ],
    ["a template", { actor: { config: { url: `https://h/${x}`, body: { deep: [x] } } } }, []],
    ["then.config", config(x), []],
    [
      "another language",
      { actor: { config: { command: "docker ps --format '{{.ID}} {{json .}}'" } } },
      [],
    ],
  ])("%s", async (_, parts, warnings) => {
    expect(await unfilled(parts)).toEqual(warnings);
  });

  test("with its line and column, and where templates are", async () => {
    const { warnings } = await load({ actor: { config: { headers: { a: `id ${x}` } } } });
    const [found] = warnings.filter(({ code }) => code === "unfilled-template");
    expect(found?.message).toContain("then.config");
    expect(found).toMatchObject({ file: "orgloop.yaml", line: 19, column: 20 });
  });

  test("a prompt that does not say whether it is filled in", async () => {
    const prompt = (meta: string) => ({
      route: { with: { prompt_file: "p.md" } },
      prompt: `${meta}Look at {{payload.x}} and {{mustache}}\n`,
    });
    expect(await unfilled(prompt(""))).toEqual(["p.md  {{payload.x}}"]);
    expect(await unfilled(prompt("---\ninterpolate: true\n---\n"))).toEqual([]);
    expect(await unfilled(prompt("---\ninterpolate: false\n---\n"))).toEqual([]);
  });
});
