import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { pluginLookup } from "./plugins.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "orgloop-plugins-"));
});
afterAll(() => rm(root, { recursive: true }));

/** A project with these files. */
async function project(files: Readonly<Record<string, unknown>>) {
  const projectDir = await mkdtemp(join(root, "project-"));
  for (const [name, contents] of Object.entries(files)) {
    const path = join(projectDir, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof contents === "string" ? contents : JSON.stringify(contents));
  }
  return { projectDir, lookup: pluginLookup({ projectDir }) };
}

const definition = (id: string) =>
  `export default { kind: "transform", id: "${id}", config: {}, create: async () => ({}) };`;
const esm = { name: "x", type: "module", version: "1.0.0" };

describe("our own packages", () => {
  const own = Object.keys(manifest.dependencies).filter((name) =>
    /^@orgloop\/(connector|transform|logger)-/.test(name),
  );
  test.each(own)("%s is found in a project that has nothing installed", async (name) => {
    const { lookup } = await project({});
    const kind = name.split(/[/-]/)[1];
    expect(await lookup(name)).toMatchObject({ kind, id: name.split("-")[1] });
  });

  test("a project's copy made for OrgLoop 0.7.9 does not replace ours, one that declares our interface does", async () => {
    const name = "@orgloop/transform-filter";
    const old = await project({
      [`node_modules/${name}/package.json`]: { ...esm, orgloop: { type: "transform" } },
      [`node_modules/${name}/index.js`]: "throw new Error('not even loaded')",
    });
    expect(await old.lookup(name)).toMatchObject({ id: "filter" });
    const newer = await project({
      [`node_modules/${name}/package.json`]: { ...esm, orgloop: { api: 1 } },
      [`node_modules/${name}/index.js`]: definition("newer"),
    });
    expect(await newer.lookup(name)).toMatchObject({ id: "newer" });
  });
});

describe("a project's packages", () => {
  test.each([
    ["main", { main: "lib/main.js" }, "lib/main.js"],
    ["main without its extension", { main: "./lib/main" }, "lib/main.js"],
    ["no entry at all", {}, "index.js"],
    ["exports as text", { exports: "./m.js" }, "m.js"],
    ["exports for import only", { exports: { ".": { types: "./t", import: "./m.js" } } }, "m.js"],
    ["nested conditions", { exports: { node: { require: "./c", default: "./m.js" } } }, "m.js"],
  ])("found by %s", async (_, fields, file) => {
    const { lookup } = await project({
      "node_modules/@acme/x/package.json": { ...esm, ...fields },
      [`node_modules/@acme/x/${file}`]: definition("mine"),
    });
    expect(await lookup("@acme/x")).toMatchObject({ id: "mine" });
  });

  test("in a folder above, as Node does; and as a file of the project", async () => {
    const { projectDir } = await project({
      "node_modules/x/package.json": esm,
      "node_modules/x/index.js": definition("above"),
      "inner/local.mjs": definition("local"),
    });
    const lookup = pluginLookup({ projectDir: join(projectDir, "inner") });
    expect(await lookup("x")).toMatchObject({ id: "above" });
    expect(await lookup("./local.mjs")).toMatchObject({ id: "local" });
  });

  test("loaded once", async () => {
    const { lookup } = await project({
      "node_modules/x/package.json": esm,
      "node_modules/x/index.js": definition("mine"),
    });
    expect(await lookup("x")).toBe(await lookup("x"));
  });
});

describe("errors", () => {
  test.each([
    ["@orgloop/conector-github", /: did you mean "@orgloop\/connector-github"\?$/],
    ["slack", /is not installed in [^:]*: `orgloop connectors list` shows/],
    ["github", /did you mean "@orgloop\/connector-github"\?/],
    ["@acme/nothing-like-it", /"@acme\/nothing-like-it" is not installed in .*npm install @acme/],
    ["node:fs", /not installed/],
    ["fs", /not installed/],
    ["x/../../y", /not installed/],
    ["/etc/passwd", /not installed/],
    ["./missing.js", /is not installed in/],
    ["constructor", /not installed/],
  ])("%s is not found", async (name, message) => {
    const { lookup } = await project({});
    const error = await lookup(name).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "PLUGIN_NOT_FOUND",
      message: expect.stringMatching(message),
    });
  });

  test("not found, installed, found", async () => {
    const { projectDir, lookup } = await project({});
    await expect(lookup("x")).rejects.toMatchObject({ code: "PLUGIN_NOT_FOUND" });
    await mkdir(join(projectDir, "node_modules/x"), { recursive: true });
    await writeFile(join(projectDir, "node_modules/x/package.json"), JSON.stringify(esm));
    await writeFile(join(projectDir, "node_modules/x/index.js"), definition("late"));
    expect(await lookup("x")).toMatchObject({ id: "late" });
  });

  test("a package that fails while loading, one that is no plugin, a file outside", async () => {
    const { projectDir, lookup } = await project({
      "node_modules/broken/package.json": esm,
      "node_modules/broken/index.js": 'import "a-dependency-that-is-missing";',
      "node_modules/other/package.json": esm,
      "node_modules/other/index.js": "export default { hello: 1 };",
    });
    await expect(lookup("broken")).rejects.toMatchObject({
      code: "PLUGIN_BROKEN",
      message: expect.stringContaining("a-dependency-that-is-missing"),
    });
    await expect(lookup("other")).rejects.toMatchObject({ code: "PLUGIN_INVALID" });
    await writeFile(join(root, "outside.mjs"), definition("outside"));
    await symlink(join(root, "outside.mjs"), join(projectDir, "link.mjs"));
    for (const name of ["../outside.mjs", "./link.mjs"]) {
      await expect(lookup(name)).rejects.toMatchObject({ code: "PLUGIN_INVALID" });
    }
  });
});
