import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isMapping, type Topology } from "@orgloop/sdk";
import fc from "fast-check";
import { expect, it } from "vitest";
import { projects } from "../../test/random-project.ts";
import { temporaryProject } from "../../test/temporary-project.ts";
import { canonicalTopology } from "../plan/canonical-topology.ts";
import { loadProject } from "./load-project.ts";

const env = { ORGLOOP_HOME: "/dev/null/none" };
const head = (kind: string) => ({ apiVersion: "orgloop/v1alpha1", kind });

type Project = typeof projects extends fc.Arbitrary<infer Value> ? Value : never;
type Tree = Record<string, unknown>;

/** A folder whose files are replaced by each load. */
function folder() {
  const directory = temporaryProject({ "p.md": "prompt" });
  return async (files: Readonly<Record<string, unknown>>, workspace = "default") => {
    for (const [file, value] of Object.entries(files)) {
      const path = join(directory, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
    }
    const { topology, errors } = await loadProject({ path: directory, env, workspace });
    expect(errors).toEqual([]);
    return topology as Topology;
  };
}

/** The groups of a project's items, each a file. */
function groups({ sources, actors, transforms, routes }: Project, prefix: string): Tree {
  return {
    [`${prefix}/c.yaml`]: { ...head("ConnectorGroup"), sources, actors },
    [`${prefix}/t.yaml`]: { ...head("TransformGroup"), transforms },
    [`${prefix}/r.yaml`]: { ...head("RouteGroup"), routes },
  };
}

const emptied = ({ sources, actors, transforms, routes, ...manifest }: Project) => manifest;

/** The topology with every name of an item, and every reference to one, changed. */
function renamed(topology: Topology, rename: (name: string) => string): Topology {
  return {
    ...topology,
    sources: topology.sources.map((item) => ({ ...item, id: rename(item.id) })),
    actors: topology.actors.map((item) => ({ ...item, id: rename(item.id) })),
    transforms: topology.transforms.map((item) => ({ ...item, name: rename(item.name) })),
    routes: topology.routes.map((item) => ({
      ...item,
      name: rename(item.name),
      when: { ...item.when, source: item.when.source.map(rename) },
      transforms: item.transforms.map((use) => ({ ...use, ref: rename(use.ref) })),
      then: { ...item.then, actor: rename(item.then.actor) },
    })),
  };
}

const loadRoot = folder();
const loadScoped = folder();

it("what moves into a team has the team's name before its own, and is the same otherwise", async () => {
  await fc.assert(
    fc.asyncProperty(projects, async (project) => {
      const root = await loadRoot({ "orgloop.yaml": project });
      const team = await loadScoped({
        "orgloop.yaml": emptied(project),
        ...groups(project, "teams/web"),
      });
      expect(canonicalTopology(team)).toBe(
        canonicalTopology(renamed(root, (name) => `web/${name}`)),
      );
    }),
    { numRuns: 20 },
  );
});

const loadModule = folder();

it("what moves into a module has the instance's name before its own, and is the same otherwise", async () => {
  await fc.assert(
    fc.asyncProperty(projects, async (project) => {
      const root = await loadRoot({ "orgloop.yaml": project });
      const used = { ...emptied(project), modules: [{ package: "./bundle", name: "zz" }] };
      const module = await loadModule({
        "orgloop.yaml": used,
        "bundle/orgloop-module.yaml": { ...head("Module"), metadata: { name: "bundle" } },
        "bundle/p.md": "prompt",
        ...groups(project, "bundle/templates"),
      });
      const prefixed = renamed(root, (name) =>
        name === "zz" || name.startsWith("zz-") ? name : `zz-${name}`,
      );
      const here = JSON.stringify(prefixed).replaceAll('"p.md"', '"bundle/p.md"');
      expect(canonicalTopology(module)).toBe(canonicalTopology(JSON.parse(here) as Topology));
    }),
    { numRuns: 20 },
  );
});

function merged(base: unknown, over: unknown): unknown {
  if (!isMapping(base) || !isMapping(over)) return over;
  const keys = [...new Set([...Object.keys(base), ...Object.keys(over)])];
  return Object.fromEntries(
    keys.map((key) => [key, key in over ? merged(base[key], over[key]) : base[key]]),
  );
}

const loadWorkspace = folder();
/** An open reference is an error, here and there. */
const plainText = fc.string().filter((text) => !text.includes("${"));
const overrides = fc.record(
  {
    config: fc.dictionary(
      fc.stringMatching(/^[a-c]$/),
      fc.oneof(fc.integer(), fc.record({ deep: plainText }, { noNullPrototype: true })),
      { noNullPrototype: true },
    ),
    poll: fc.constant({ interval: "77s" }),
    enabled: fc.boolean(),
  },
  { requiredKeys: [], noNullPrototype: true },
);

it("an override in a workspace does what the same edit of the item does", async () => {
  await fc.assert(
    fc.asyncProperty(
      projects,
      overrides,
      fc.constantFrom("3s", "4m"),
      async (project, over, timeout) => {
        const [source] = project.sources;
        const [route] = project.routes;
        if (!source || !route) return;
        const delivery = { then: { delivery: { timeout, retry: { max_attempts: 5 } } } };
        const edited = {
          ...project,
          sources: [merged(source, over), ...project.sources.slice(1)],
          routes: [merged(route, delivery), ...project.routes.slice(1)],
        };
        const byHand = await loadRoot({ "orgloop.yaml": edited });
        const workspace = {
          ...head("Workspace"),
          metadata: { name: "w" },
          sources: { [source.id]: over },
          routes: { [route.name]: delivery },
        };
        const files = { "orgloop.yaml": project, "workspaces/w.yaml": workspace };
        const laidOver = await loadWorkspace(files, "w");
        expect(canonicalTopology({ ...laidOver, workspace: "default" })).toBe(
          canonicalTopology(byHand),
        );
      },
    ),
    { numRuns: 30 },
  );
});
