import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pluginLookup } from "@orgloop/node";
import { prepareStage } from "@orgloop/stacks";
import { expect, onTestFinished, test } from "vitest";
import { workspaceFile } from "./organisations.ts";
import { STAGE } from "./synthesize.ts";

/**
 * Prepares a small organisation for a stage that was deployed by `project`; goes as far as to its
 * packages.
 */
async function prepared(project: string, env: Readonly<Record<string, string>> = {}) {
  const directory = await mkdtemp(path.join(tmpdir(), "orgloop-prepare-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await mkdir(path.join(directory, "workspaces"));
  const connector = "@orgloop/connector-webhook";
  const files = {
    ...workspaceFile(),
    "orgloop.yaml": JSON.stringify({
      apiVersion: "orgloop/v1alpha1",
      kind: "Project",
      metadata: { name: "small" },
      sources: [{ id: "hub", connector, config: {} }],
    }),
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(path.join(directory, name), text);
  }
  return prepareStage({
    projectDir: directory,
    stage: STAGE,
    env: { ...env, ORGLOOP_HOME: path.join(directory, ".home") },
    lookup: pluginLookup({ projectDir: import.meta.dirname }),
    entry: () => Promise.reject(new Error("it went on")),
    functionsDir: directory,
    outDir: directory,
    secretPrefix: "/sst/",
    retain: false,
    readDeployed: async () => ({
      ...{ layout: null, project, actors: [], routes: [], draining: [], waiting: false },
      empty: new Set(),
      stacks: new Set(),
    }),
  });
}

test("a project is not deployed in the place of another's stage, unless it is said to be that one", async () => {
  await expect(prepared("another")).rejects.toThrow(
    /stage "production" is of the project another, and \S+ is small: ORGLOOP_PROJECT names/,
  );
  await expect(prepared("another", { ORGLOOP_REPLACES: "another" })).rejects.toThrow("it went on");
  await expect(prepared("small")).rejects.toThrow("it went on");
});
