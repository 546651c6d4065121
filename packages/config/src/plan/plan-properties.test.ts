import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatPath, valueAt } from "@orgloop/engine";
import type { Topology } from "@orgloop/sdk";
import fc from "fast-check";
import { expect, it } from "vitest";
import { projects } from "../../test/random-project.ts";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "../resolve/load-project.ts";
import { canonicalTopology, topologyHash } from "./canonical-topology.ts";
import { type Plan, planTopology } from "./plan-topology.ts";

const env = { ORGLOOP_HOME: "/dev/null/none" };
const directory = temporaryProject({ "p.md": "prompt" });

type Project = typeof projects extends fc.Arbitrary<infer Value> ? Value : never;

function write(folder: string, files: Readonly<Record<string, unknown>>) {
  for (const [file, value] of Object.entries(files)) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
  }
}

async function topologyOf(folder: string): Promise<Topology> {
  const { topology, errors } = await loadProject({ path: folder, env });
  expect(errors).toEqual([]);
  return topology as Topology;
}

async function load(project: Project): Promise<Topology> {
  write(directory, { "orgloop.yaml": project });
  return await topologyOf(directory);
}

const head = (kind: string): Record<string, unknown> => ({ apiVersion: "orgloop/v1alpha1", kind });

/** Strews the items of a manifest over group files, in any order. */
function split(project: Project, random: () => number): Record<string, unknown> {
  const { sources, actors, transforms, routes, ...manifest } = project;
  const files: Record<string, Record<string, unknown>> = {};
  const put = (file: string, kind: string, list: string, item: unknown) => {
    const group = files[file] ?? head(kind);
    const items = (group[list] as unknown[] | undefined) ?? [];
    files[file] = { ...group, [list]: items };
    items.splice(random() % (items.length + 1), 0, item);
  };
  const group = (kind: string) => `groups/${kind}-${random() % 3}.yaml`;
  for (const item of sources) put(group("c"), "ConnectorGroup", "sources", item);
  for (const item of actors) put(group("c"), "ConnectorGroup", "actors", item);
  for (const item of transforms) put(group("t"), "TransformGroup", "transforms", item);
  for (const item of routes) put(`routes/${random() % 3}.yaml`, "RouteGroup", "routes", item);
  const listed = (kind: string) => Object.keys(files).filter((file) => file.includes(`/${kind}-`));
  const whole = { ...manifest, connectors: listed("c"), transforms: listed("t") };
  return { "orgloop.yaml": whole, "p.md": "prompt", ...files };
}

const randoms = fc.infiniteStream(fc.nat()).map((stream) => () => stream.next().value as number);

it("the canonical text is the same in whatever files and order the items stand, and reads back", async () => {
  await fc.assert(
    fc.asyncProperty(projects, randoms, async (project, random) => {
      const inline = await load(project);
      const folder = temporaryProject({});
      write(folder, split(project, random));
      const spread = await topologyOf(folder);
      rmSync(folder, { recursive: true });
      expect(canonicalTopology(spread)).toBe(canonicalTopology(inline));
      expect(planTopology(inline, spread).changes).toEqual([]);
      const again = JSON.parse(canonicalTopology(inline)) as Topology;
      expect(topologyHash(again)).toBe(topologyHash(inline));
    }),
    { numRuns: 25 },
  );
});

/**
 * Everything that a topology says, by kind, name and path; lists whole. Independent of the planner.
 */
function statements(topology: Topology | null): Map<string, string> {
  const all = new Map<string, string>();
  const visit = (where: string, value: unknown, path: (string | number)[]) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      all.set(`${where} ${formatPath(path)}`, JSON.stringify(value));
      return;
    }
    all.set(`${where} ${formatPath(path)}`, "{}");
    for (const [key, item] of Object.entries(value)) visit(where, item, [...path, key]);
  };
  if (topology === null) return all;
  const { sources, actors, routes, transforms, loggers, bus, ...settings } = topology;
  const lists = {
    source: sources,
    actor: actors,
    route: routes,
    transform: transforms,
    logger: loggers,
  };
  for (const [kind, items] of Object.entries(lists)) {
    for (const item of items) visit(`${kind} ${"id" in item ? item.id : item.name}`, item, []);
  }
  visit("bus bus", bus, []);
  visit("workspace default", settings, []);
  return all;
}

function checkPlan(plan: Plan, from: Topology, to: Topology): void {
  const [before, after] = [statements(from), statements(to)];
  const reported: string[] = [];
  for (const { kind, name, action, differences } of plan.changes) {
    const where = `${kind} ${name} `;
    expect(before.has(where)).toBe(action !== "add");
    expect(after.has(where)).toBe(action !== "remove");
    reported.push(action === "change" ? "" : where);
    for (const { path, from: old, to: now } of differences) {
      const key = `${where}${formatPath(path)}`;
      const filled = kind === "source" && path[0] === "poll";
      if (!filled) expect(before.get(key)).not.toBe(after.get(key));
      expect(JSON.stringify(old)).not.toBe(JSON.stringify(now));
      reported.push(key);
    }
  }
  const covered = (key: string) =>
    reported.some((one) => one !== "" && (key === one || key.startsWith(one)));
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    if (before.get(key) !== after.get(key)) expect(covered(key) ? key : "").toBe(key);
  }
}

it("every path that is reported differs, and every difference is reported", async () => {
  await fc.assert(
    fc.asyncProperty(projects, projects, async (left, right) => {
      const [from, to] = [await load(left), await load(right)];
      checkPlan(planTopology(from, to), from, to);
      expect(planTopology(from, from)).toMatchObject({
        changes: [],
        summary: "No changes. The running state matches the configuration.",
      });
      expect(planTopology(from, to).changes.length === 0).toBe(
        topologyHash(from) === topologyHash(to),
      );
    }),
    { numRuns: 40 },
  );
});

/** `from` with a plan carried out on it, from nothing but the plan. */
function carriedOut(from: Topology, plan: Plan): Topology {
  const result = structuredClone(from) as unknown as Record<string, unknown>;
  for (const { kind, name, action, differences, to } of plan.changes) {
    const list = result[`${kind}s`] as Record<string, unknown>[] | undefined;
    const at = list?.findIndex((item) => item.id === name || item.name === name) ?? -1;
    if (action === "add") list?.push(structuredClone(to) as Record<string, unknown>);
    else if (action === "remove") list?.splice(at, 1);
    const target = kind === "bus" ? result.bus : kind === "workspace" ? result : list?.[at];
    for (const { path, to: value } of differences) {
      let parent = target as Record<string, unknown>;
      for (const step of path.slice(0, -1)) {
        parent[step] ??= {};
        parent = parent[step] as typeof parent;
      }
      const key = String(path.at(-1));
      if (value === undefined) delete parent[key];
      else parent[key] = structuredClone(value);
    }
  }
  return result as unknown as Topology;
}

it("a plan that is carried out leaves nothing to plan; two in a row are as one", async () => {
  await fc.assert(
    fc.asyncProperty(projects, projects, projects, async (one, two, three) => {
      const [a, b, c] = [await load(one), await load(two), await load(three)];
      const [ab, bc, ac] = [planTopology(a, b), planTopology(b, c), planTopology(a, c)];
      expect(planTopology(carriedOut(a, ab), b).changes).toEqual([]);
      expect(planTopology(carriedOut(carriedOut(a, ab), bc), c).changes).toEqual([]);
      const touched = new Set(
        [...ab.changes, ...bc.changes].map(({ kind, name }) => `${kind} ${name}`),
      );
      for (const { kind, name, from, to } of ac.changes) {
        expect(touched).toContain(`${kind} ${name}`);
        const first = ab.changes.find((item) => item.kind === kind && item.name === name);
        const second = bc.changes.find((item) => item.kind === kind && item.name === name);
        if (kind !== "workspace" && kind !== "bus") {
          expect(from).toEqual((first ?? second)?.from);
          expect(to).toEqual((second ?? first)?.to);
        }
      }
    }),
    { numRuns: 25 },
  );
});

it("the same plan, whatever the order of the items", async () => {
  await fc.assert(
    fc.asyncProperty(projects, projects, async (left, right) => {
      const [from, to] = [await load(left), await load(right)];
      const backwards = (topology: Topology): Topology => ({
        ...topology,
        sources: topology.sources.toReversed(),
        actors: topology.actors.toReversed(),
        routes: topology.routes.toReversed(),
      });
      expect(JSON.stringify(planTopology(backwards(from), backwards(to)))).toBe(
        JSON.stringify(planTopology(from, to)),
      );
      expect(valueAt(planTopology(null, to), ["counts"])).toEqual({
        add: to.sources.length + to.actors.length + to.routes.length + to.transforms.length,
        change: 0,
        remove: 0,
      });
    }),
    { numRuns: 20 },
  );
});
