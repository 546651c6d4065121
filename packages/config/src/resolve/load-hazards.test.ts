import { once } from "node:events";
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "./load-project.ts";

const env = { ORGLOOP_HOME: "/dev/null/none" };
const HEAD = "apiVersion: orgloop/v1alpha1\nkind: Project\nmetadata: { name: demo }\n";
const ROUTE = `${HEAD}
sources: [{ id: s, connector: x }]
actors: [{ id: a, connector: x }]
routes: [{ name: r, when: { source: s, events: resource.changed }, then: { actor: a }, with: { prompt_file: sops/p.md } }]
`;

async function problems(path: string) {
  const { errors } = await loadProject({ path, env });
  return errors.map(({ file, line, code, message }) => `${file}:${line} ${code}: ${message}`);
}

it("refuses a file that is not UTF-8", async () => {
  const path = temporaryProject({ "orgloop.yaml": Uint8Array.of(0x61, 0x3a, 0x20, 0xff, 0xfe) });
  expect(await problems(path)).toEqual([
    "orgloop.yaml:1 not-utf8: the file is not UTF-8 text: save it as UTF-8",
  ]);
});

it("reads a byte order mark and CRLF", async () => {
  const path = temporaryProject({
    "orgloop.yaml": `\uFEFF${HEAD}buss: file\n`.replaceAll("\n", "\r\n"),
  });
  expect(await problems(path)).toEqual([
    'orgloop.yaml:4 unknown-key: unknown key "buss": did you mean "bus"?',
  ]);
});

it.each([
  ["a carriage return by itself", "{ a: 1 } } }\r#", "7:103"],
  ["a tag that readers know and not", "{ a: !!float 3 }", "7:104"],
  ["a merge key that is tagged as text", "{ a: { !!str <<: { b: 1 } } }", "7:96"],
])(
  "refuses what two YAML readers read otherwise, at its place, though nothing else is wrong: %s",
  async (_, config, place) => {
    const files = {
      "orgloop.yaml": `apiVersion: orgloop/v1alpha1
kind: Project
metadata: { name: demo }
sources: [{ id: s, connector: x }]
actors: [{ id: a, connector: x }]
routes:
  - { name: r, when: { source: s, events: [resource.changed] }, then: { actor: a, config: ${config} } }
`,
    };
    const { topology, errors } = await loadProject({ path: temporaryProject(files), env });
    expect(topology).toBeNull();
    expect(errors.map(({ line, column, code }) => [`${line}:${column}`, code])).toEqual([
      [place, "ambiguous-yaml"],
    ]);
  },
);

it("refuses a file that is too large", async () => {
  const path = temporaryProject({ "orgloop.yaml": `${HEAD}#${"x".repeat(8 * 1024 * 1024)}` });
  expect(await problems(path)).toEqual([
    `orgloop.yaml:1 too-large: the file has ${8 * 1024 * 1024 + HEAD.length + 1} bytes: more than 8388608 are refused`,
  ]);
});

it("refuses a symbolic link that leads out of the project, and takes one that stays inside", async () => {
  const outside = temporaryProject({ "secret.md": "secret", "c.yaml": "actors: []" });
  const path = temporaryProject({
    "orgloop.yaml": `${ROUTE}connectors: [c.yaml]\n`,
    "real.md": "x",
  });
  mkdirSync(join(path, "sops"));
  symlinkSync(join(outside, "secret.md"), join(path, "sops/p.md"));
  symlinkSync(join(outside, "c.yaml"), join(path, "c.yaml"));
  expect(await problems(path)).toEqual([
    'orgloop.yaml:7 file: "sops/p.md" is a symbolic link that leads out of the project',
    'orgloop.yaml:8 file: "c.yaml" is a symbolic link that leads out of the project',
  ]);

  const inside = temporaryProject({ "orgloop.yaml": ROUTE, "real.md": "prompt" });
  mkdirSync(join(inside, "sops"));
  symlinkSync("../real.md", join(inside, "sops/p.md"));
  expect(await problems(inside)).toEqual([]);
});

it("refuses a symbolic link of a directory that leads out of the project", async () => {
  const outside = temporaryProject({ "p.md": "secret", "r.yaml": "routes: []" });
  const path = temporaryProject({ "orgloop.yaml": ROUTE });
  symlinkSync(outside, join(path, "sops"));
  symlinkSync(outside, join(path, "routes"));
  expect(await problems(path)).toEqual([
    'orgloop.yaml:1 file: "routes/r.yaml" is a symbolic link that leads out of the project',
    'orgloop.yaml:7 file: "sops/p.md" is a symbolic link that leads out of the project',
  ]);
});

it("loads a project that is itself reached by a symbolic link", async () => {
  const real = temporaryProject({ "orgloop.yaml": ROUTE, "sops/p.md": "x" });
  const link = join(temporaryProject({}), "link");
  symlinkSync(real, link);
  expect(await problems(link)).toEqual([]);
});

it("refuses directories, sockets and links that go in circles where a file is expected", async () => {
  const path = temporaryProject({
    "orgloop.yaml": `${HEAD}connectors: [dir, pipe, loop]\n`,
    "dir/x": "",
  });
  const server = createServer().listen(join(path, "pipe"));
  await once(server, "listening");
  symlinkSync("loop", join(path, "loop"));
  const found = await problems(path);
  expect(found.slice(0, 2)).toEqual([
    'orgloop.yaml:4 file: "dir" is a directory: a file is expected',
    'orgloop.yaml:4 file: "pipe" is no regular file',
  ]);
  expect(found[2]).toContain('cannot read "loop": ELOOP');
  server.close();
});

it("never loads tests and modules as configuration", async () => {
  const group = "apiVersion: orgloop/v1alpha1\nkind: RouteGroup\nroutes: [{ wrong: true }]\n";
  const path = temporaryProject({
    "orgloop.yaml": `${HEAD}connectors: [modules/m/templates/c.yaml]\n`,
    "routes/a.test.yaml": group,
    "routes/b.test.yml": group,
    "routes/deep/c.yaml": group,
    "routes/notes.md": "not YAML: [",
    "modules/m/orgloop-module.yaml": "",
    "modules/m/templates/c.yaml": "sources: []",
  });
  expect(await problems(path)).toEqual([
    "orgloop.yaml:4 module-file: modules/m/templates/c.yaml belongs to a module: name the module under modules",
  ]);
});

it("warns of a script that cannot be executed", async () => {
  const path = temporaryProject({
    "orgloop.yaml": `${HEAD}transforms: [{ name: t, type: script, script: t.sh }]\n`,
    "t.sh": "#!/bin/sh\n",
  });
  const codes = async () => (await loadProject({ path, env })).warnings.map(({ code }) => code);
  expect(await codes()).toEqual(["orphan-transform", "not-executable"]);
  chmodSync(join(path, "t.sh"), 0o755);
  expect(await codes()).toEqual(["orphan-transform"]);
});

it("leaves what only looks like front matter in the prompt, and says so", async () => {
  const load = (prompt: string) =>
    loadProject({ path: temporaryProject({ "orgloop.yaml": ROUTE, "sops/p.md": prompt }), env });
  const broken = await load("---\ntitle: [\n---\nbody\n");
  expect(broken.warnings).toMatchObject([{ code: "front-matter", line: 7 }]);
  expect(broken.topology?.routes[0]?.with?.prompt).toEqual({
    file: "sops/p.md",
    text: "---\ntitle: [\n---\nbody\n",
    meta: null,
  });
  for (const [prompt, text, meta] of [
    ["---\r\na: 1\r\n---\r\nbody", "body", { a: 1 }],
    ["---\n---\nbody", "body", null],
    ["---\nno end", "---\nno end", null],
    ["body\n---\na: 1\n---\n", "body\n---\na: 1\n---\n", null],
    ["---\na: 1\n---", "", { a: 1 }],
  ] as const) {
    const { topology, warnings } = await load(prompt);
    expect(warnings).toEqual([]);
    expect(topology?.routes[0]?.with?.prompt).toEqual({ file: "sops/p.md", text, meta });
  }
});

it("refuses __proto__ in front matter, and nothing reaches a prototype", async () => {
  const path = temporaryProject({
    "orgloop.yaml": ROUTE,
    "sops/p.md": "---\n__proto__: { polluted: true }\n---\nx",
  });
  const { topology } = await loadProject({ path, env });
  expect(topology?.routes[0]?.with?.prompt.meta).toBeNull();
  expect("polluted" in {}).toBe(false);
});

it("tells of a user configuration that is wrong, with its own path", async () => {
  const home = temporaryProject({ "config.yaml": "defaults: { poll_interval: soon }\n" });
  const path = temporaryProject({ "orgloop.yaml": HEAD });
  const { errors } = await loadProject({ path, env: { ORGLOOP_HOME: home } });
  expect(errors).toMatchObject([
    { file: join(home, "config.yaml"), line: 1, column: 28, path: "defaults.poll_interval" },
  ]);
});
