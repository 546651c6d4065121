import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { env, HEAD, REVIEW } from "../../test/review-module.ts";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "../resolve/load-project.ts";
import { topologyHash } from "./canonical-topology.ts";
import { planDocument } from "./plan-document.ts";
import { planTopology } from "./plan-topology.ts";

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: references of the language
const PROJECT = {
  ...REVIEW,
  "orgloop.yaml": `${HEAD} Project
metadata: { name: acme }
bus: file
vars: { api: "https://one.test" }
defaults: { poll_interval: 5m }
sources:
  - { id: hub, connector: "@orgloop/connector-github", config: { token: "\${TOKEN}", base_url: "\${vars.api}" } }
  - { id: slow, connector: "@orgloop/connector-cron", poll: { interval: 1h }, schemas: { tick: n.json } }
actors:
  - { id: agent, connector: "@orgloop/connector-exec" }
  - { id: records, connector: "@orgloop/connector-file" }
transforms:
  - { name: t1, type: "@orgloop/transform-filter" }
  - { name: t2, type: "@orgloop/transform-filter" }
  - { name: own, type: script, script: own.sh }
modules:
  - { package: ./modules/review, params: { github_source: hub, agent_actor: agent } }
`,
  "routes/r.yaml": `${HEAD} RouteGroup
routes:
  - name: plain
    when: { source: slow, events: [resource.changed], filter: { type: a, payload.kind: b } }
    then: { actor: agent }
    with: { prompt_file: ../p.md }
`,
  "n.json": '{ "required": ["n"] }',
  "own.sh": "#!/bin/sh\ncat\n",
  "p.md": "---\ntitle: x\n---\nOne.",
  "workspaces/s.yaml": `${HEAD} Workspace
metadata: { name: s }
sources: { hub: { poll: { interval: 9s } } }
`,
};
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: references of the language

/** The plan of an edit of the project's files. */
async function planned(
  edits: Readonly<Record<string, (text: string) => string>>,
  workspace = "default",
) {
  const path = temporaryProject(PROJECT);
  const load = async () => {
    const loaded = await loadProject({ path, env: { ...env, TOKEN: "x" }, workspace });
    expect(loaded.errors).toEqual([]);
    if (loaded.topology === null) throw new Error("unreachable");
    return { ...loaded, topology: loaded.topology };
  };
  const before = await load();
  for (const [file, edit] of Object.entries(edits)) {
    writeFileSync(join(path, file), edit(PROJECT[file as keyof typeof PROJECT]));
  }
  const after = await load();
  const plan = planTopology(before.topology, after.topology);
  const state = { serial: 7, hash: topologyHash(before.topology) };
  const document = planDocument(plan, { workspace, state, provenance: after.provenance });
  return { plan, document, before, after };
}

const replace = (from: string, to: string) => (text: string) => {
  expect(text).toContain(from);
  return text.replaceAll(from, to);
};

it("sums up in the words of the specification", async () => {
  const { plan } = await planned({
    "orgloop.yaml": (text) =>
      text
        .replace(
          "  - { id: slow",
          "  - { id: a, connector: x }\n  - { id: b, connector: x }\n  - { id: c, connector: x }\n  - { id: slow",
        )
        .replace(/ {2}- \{ name: t\d.*\n/g, ""),
    "routes/r.yaml": replace("type: a", "type: z"),
  });
  expect(plan.summary).toBe("3 sources added, 1 route changed, 2 transforms removed");
  expect(plan.counts).toEqual({ add: 3, change: 1, remove: 2 });
});

it("of what an older release has applied says nothing that only this one knows", async () => {
  const { before } = await planned({});
  const older = structuredClone(before.topology);
  for (const { delivery } of older.routes) {
    delete (delivery.retry as { max_retry_after?: string }).max_retry_after;
  }
  expect(planTopology(older, before.topology).changes).toEqual([]);
});

describe("a change", () => {
  it("names every value that differs, and the file and line where it is written", async () => {
    const { document, before } = await planned({
      "routes/r.yaml": (text) =>
        text.replace("type: a, payload.kind: b", "type: z, payload.new: c"),
    });
    expect(document).toEqual({
      format_version: "1.0",
      workspace: "default",
      state: { serial: 7, hash: topologyHash(before.topology) },
      summary: { add: 0, change: 1, remove: 0 },
      changes: [
        {
          kind: "route",
          name: "plain",
          action: "change",
          paths: ['when.filter["payload.kind"]', 'when.filter["payload.new"]', "when.filter.type"],
          from: { 'when.filter["payload.kind"]': "b", "when.filter.type": "a" },
          to: { 'when.filter["payload.new"]': "c", "when.filter.type": "z" },
          file: "routes/r.yaml",
          line: 5,
        },
      ],
    });
  });

  it.each<[string, string, (text: string) => string, string[]]>([
    [
      "the contents of a script",
      "own.sh",
      replace("cat", "exec cat"),
      ["transform own script_sha256"],
    ],
    [
      "the contents of a schema",
      "n.json",
      replace('"n"', '"m"'),
      ["source slow schemas.tick.text"],
    ],
    ["the text of a prompt", "p.md", replace("One.", "Two."), ["route plain with.prompt.text"]],
    [
      "the front matter of a prompt",
      "p.md",
      replace("title: x", "title: y"),
      ["route plain with.prompt.meta.title"],
    ],
    [
      "a prompt inside a module",
      "modules/review/sops/review.md",
      replace("Review", "Judge"),
      ["route review-pr with.prompt.text"],
    ],
    ["a variable", "orgloop.yaml", replace("one.test", "two.test"), ["source hub config.base_url"]],
    ["a reference", "orgloop.yaml", replace("{TOKEN}", "{OTHER}"), ["source hub config.token"]],
    [
      "a default interval, at each source that it fills in",
      "orgloop.yaml",
      replace("poll_interval: 5m", "poll_interval: 6m"),
      ["source hub poll.interval", "workspace default defaults.poll_interval"],
    ],
    [
      "a default repeat window, at each source that it fills in",
      "orgloop.yaml",
      replace("poll_interval: 5m", "poll_interval: 5m, repeat_window: 2d"),
      [
        "source hub repeat_window",
        "source slow repeat_window",
        "workspace default defaults.repeat_window",
      ],
    ],
    [
      "a source's repeat window and what becomes of its repeats",
      "orgloop.yaml",
      replace(
        "poll: { interval: 1h }",
        "poll: { interval: 1h }, repeat_window: 7d, repeats: deliver",
      ),
      ["source slow repeat_window", "source slow repeats"],
    ],
    [
      "a default of delivery",
      "orgloop.yaml",
      replace("poll_interval: 5m", "poll_interval: 5m, delivery: { timeout: 8s }"),
      [
        "route plain delivery.timeout",
        "route review-log delivery.timeout",
        "route review-pr delivery.timeout",
      ],
    ],
    [
      "a parameter of a module",
      "orgloop.yaml",
      replace("agent_actor: agent", "agent_actor: agent, burst: 6"),
      ["route review-pr delivery.burst"],
    ],
    ["the bus", "orgloop.yaml", replace("bus: file", "bus: memory"), ["bus bus url"]],
    [
      "a setting",
      "orgloop.yaml",
      replace("poll_interval: 5m", "poll_interval: 5m, log_level: debug"),
      ["workspace default defaults.log_level"],
    ],
    ["a comment", "orgloop.yaml", replace("bus: file", "bus: file # the log"), []],
  ])("of %s", async (_, file, edit, expected) => {
    const { plan } = await planned({ [file]: edit });
    expect(
      plan.changes.flatMap(({ kind, name, differences }) =>
        differences.map(({ path }) => `${kind} ${name} ${path.join(".")}`),
      ),
    ).toEqual(expected);
  });

  it("of a workspace's override is placed in the workspace's file", async () => {
    const { document } = await planned({ "workspaces/s.yaml": replace("9s", "8s") }, "s");
    expect(document.changes).toMatchObject([
      { kind: "source", name: "hub", paths: ["poll.interval"], file: "workspaces/s.yaml", line: 4 },
    ]);
  });

  it("of a parameter is placed at the use of the module", async () => {
    const { document } = await planned({
      "orgloop.yaml": replace("agent_actor: agent", "agent_actor: agent, burst: 6"),
    });
    expect(document.changes[0]).toMatchObject({
      file: "orgloop.yaml",
      line: 18,
      from: { "delivery.burst": 2 },
    });
  });

  it("shows no secret, also where one is written out", async () => {
    const { document } = await planned({
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
      "orgloop.yaml": replace('"${TOKEN}"', "hunter2"),
    });
    expect(document.changes[0]).toMatchObject({
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
      from: { "config.token": "${TOKEN}" },
      to: { "config.token": "(hidden: a secret that is written out)" },
    });
  });
});

it("hides the password in a URL, and no reference", async () => {
  const bus = (url: string) => replace("bus: file", `bus: "${url}"`);
  const literal = await planned({ "orgloop.yaml": bus("nats://me:hunter2@host:4222") });
  expect(literal.document.changes[0]?.to).toEqual({ url: "nats://me:(hidden)@host:4222" });
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
  const url = "nats://me:${PASS}@host:4222";
  const reference = await planned({ "orgloop.yaml": bus(url) });
  expect(reference.document.changes[0]?.to).toEqual({ url });
});

it("from nothing, everything is added", async () => {
  const { after } = await planned({});
  const plan = planTopology(null, after.topology);
  expect(plan.summary).toBe("2 sources added, 2 actors added, 3 routes added, 4 transforms added");
  const state = { serial: 0, hash: null };
  const [first] = planDocument(plan, {
    workspace: "default",
    state,
    provenance: after.provenance,
  }).changes;
  expect(first).toMatchObject({
    kind: "source",
    name: "hub",
    action: "add",
    paths: [],
    from: null,
    file: "orgloop.yaml",
    line: 8,
  });
});
