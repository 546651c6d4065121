import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { loadProject } from "@orgloop/config";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dataDirectory, namesake } from "./data-directory.ts";

let root: string;
let home: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "orgloop-data-"));
  home = path.join(root, "home");
});
afterEach(() => rm(root, { recursive: true }));

/** Where the state of a project is, whose manifest ends in `more`. */
async function locate(name: string, { more = "", workspace = "default", env = {} } = {}) {
  const directory = path.join(root, "projects", name);
  await mkdir(directory, { recursive: true });
  const head = `apiVersion: orgloop/v1alpha1\nkind: Project\nmetadata: { name: "${name}" }\n`;
  await writeFile(path.join(directory, "orgloop.yaml"), head + more);
  const project = await loadProject({ path: directory, env: { ORGLOOP_HOME: home } });
  const flags = { config: directory, configGiven: true, workspace, verbose: false, json: false };
  return dataDirectory({ home, flags: { ...flags, quiet: false }, env }, project);
}

async function own(directory: string, project: string) {
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, "owner.json"), JSON.stringify({ project }));
}

test("the first project has the usual place, also once it owns it and while it has errors", async () => {
  const usual = { dataDir: path.join(home, "data"), displacedBy: null };
  expect(await locate("acme")).toEqual(usual);
  await own(usual.dataDir, "acme");
  expect(await locate("acme")).toEqual(usual);
  expect(await locate("acme", { more: "unknown: 1\n" })).toEqual(usual);
});

test("a workspace has a place of its own", async () => {
  const { dataDir } = await locate("acme", { workspace: "staging" });
  expect(dataDir).toBe(path.join(home, "workspaces/staging/data"));
});

test("a second project goes elsewhere, and says whose the usual place is", async () => {
  await own(path.join(home, "data"), "acme");
  const other = await locate("other");
  expect(other.displacedBy).toBe("acme");
  const places = path.relative(home, other.dataDir);
  expect(places).toMatch(/^projects\/other-[0-9a-f]{8}\/data$/);
  expect(await locate("other")).toEqual(other);
});

test("another directory with a project of the same name is told of, one that has moved is not", async () => {
  await locate("acme");
  await locate("copy");
  const [acme = "", copy = ""] = ["acme", "copy"].map((name) => path.join(root, "projects", name));
  const data = path.join(home, "data");
  expect(namesake(data, acme)).toBeNull();
  await own(data, "acme");
  expect(namesake(data, acme)).toBeNull();
  const owner = { project: "acme", directory: acme };
  await writeFile(path.join(data, "owner.json"), JSON.stringify(owner));
  expect(namesake(data, acme)).toBeNull();
  expect(namesake(data, copy)).toBe(acme);
  await rm(acme, { recursive: true });
  expect(namesake(data, copy)).toBeNull();
});

test("defaults.data_dir goes first: from the project, with references and ~", async () => {
  const place = async (dir: string) =>
    (
      await locate("acme", {
        more: `defaults: { data_dir: "${dir}" }\n`,
        env: { HOME: "/h", X: "y" },
      })
    ).dataDir;
  expect(await place("state")).toBe(path.join(root, "projects/acme/state"));
  expect(await place("~/state")).toBe("/h/state");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the configuration
  expect(await place("/var/${X}")).toBe("/var/y");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the configuration
  await expect(place("/var/${Z}")).rejects.toMatchObject({ code: "MISSING_VARIABLE" });
});
