import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { installPackage, packageManagerOf } from "./install-package.ts";

let root: string;
let project: string;
const { PATH } = process.env;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "orgloop-manager-"));
  project = path.join(root, "repo/org");
  mkdirSync(project, { recursive: true });
});
afterEach(() => {
  process.env.PATH = PATH;
  rmSync(root, { recursive: true });
});

const write = (file: string, text: string) => writeFileSync(path.join(root, file), text);

describe("the package manager of a project", () => {
  test.each([
    ["package-lock.json", "npm"],
    ["npm-shrinkwrap.json", "npm"],
    ["pnpm-lock.yaml", "pnpm"],
    ["yarn.lock", "yarn"],
    ["bun.lock", "bun"],
    ["bun.lockb", "bun"],
  ])("%s is %s's, also above the project", (lock, name) => {
    write("repo/package.json", "{}");
    write("repo/org/package.json", "{}");
    write(`repo/${lock}`, "");
    expect(packageManagerOf(project)).toEqual({
      name,
      directory: project,
      folders: [project, path.dirname(project)],
    });
  });

  test("the packageManager field goes before a lock file, the nearest folder before all", () => {
    write("repo/package.json", '{ "packageManager": "pnpm@10.0.0+sha512.x" }');
    write("repo/package-lock.json", "{}");
    expect(packageManagerOf(project)).toMatchObject({
      name: "pnpm",
      directory: path.dirname(project),
    });
    write("repo/org/yarn.lock", "");
    expect(packageManagerOf(project).name).toBe("yarn");
  });

  test("is npm where nothing says", () => {
    expect(packageManagerOf(project)).toMatchObject({ name: "npm", directory: project });
  });
});

/** Programs of these names that write down how they were called. */
function recordingPrograms(...names: string[]): () => string {
  const bin = path.join(root, "bin");
  mkdirSync(bin);
  const log = path.join(root, "calls");
  for (const name of names) {
    const file = path.join(bin, name);
    writeFileSync(file, `#!/bin/sh\necho "$(basename "$PWD"): ${name} $*" >> "${log}"\n`);
    chmodSync(file, 0o755);
  }
  process.env.PATH = `${bin}${path.delimiter}/bin${path.delimiter}/usr/bin`;
  return () => readFileSync(log, "utf8");
}

test("a package is added as each of them wants it, in the folder of the nearest package.json", async () => {
  const calls = recordingPrograms("npm", "pnpm", "yarn", "bun");
  const add = (lock: string, text = "") => {
    write(`repo/${lock}`, text);
    return installPackage(packageManagerOf(project), "@acme/m@^1.0.0").finally(() =>
      rmSync(path.join(root, "repo", lock)),
    );
  };
  write("repo/package.json", '{ "workspaces": ["org"] }');
  write("repo/pnpm-workspace.yaml", "");
  await add("package-lock.json");
  await add("pnpm-lock.yaml");
  await add("yarn.lock", "# yarn lockfile v1\n");
  await add("yarn.lock", "__metadata:\n");
  await add("bun.lock");
  expect(calls()).toBe(`repo: npm install --no-audit --no-fund @acme/m@^1.0.0
repo: pnpm add --workspace-root @acme/m@^1.0.0
repo: yarn add --ignore-workspace-root-check @acme/m@^1.0.0
repo: yarn add @acme/m@^1.0.0
repo: bun add @acme/m@^1.0.0
`);
});

test("one that is not on the machine is named; what one says as it fails is told", async () => {
  write("repo/org/bun.lock", "");
  process.env.PATH = path.join(root, "nothing");
  await expect(installPackage(packageManagerOf(project), "x")).rejects.toMatchObject({
    code: "NOT_INSTALLED",
    message: expect.stringContaining("there is no bun on this machine"),
  });
  recordingPrograms();
  const file = path.join(root, "bin/bun");
  writeFileSync(file, "#!/bin/sh\necho no such package >&2\nexit 3\n");
  chmodSync(file, 0o755);
  await expect(installPackage(packageManagerOf(project), "x")).rejects.toMatchObject({
    message: "bun add x: ended with 3:\nno such package",
  });
});
