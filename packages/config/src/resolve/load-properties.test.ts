import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DocumentPath, formatPath } from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Document, visit } from "yaml";
import { projects } from "../../test/random-project.ts";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "./load-project.ts";

const env = { ORGLOOP_HOME: "/dev/null/none" };
const directory = temporaryProject({ "p.md": "prompt" });

type Tree = Record<string, unknown>;

/** A copy in which nothing is shared: generated values may be. */
const cloned = (value: object) => JSON.parse(JSON.stringify(value)) as Tree;

function shuffled(value: unknown, random: () => number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, random));
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]): [number, string, unknown] => [random(), key, shuffled(item, random)])
      .sort(([left], [right]) => left - right)
      .map(([, key, item]) => [key, item]),
  );
}

/** The same document with comments and flow collections strewn in. */
function decorated(value: unknown, random: () => number): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Map: (_, node) => {
      if (random() % 4 === 0) node.flow = true;
    },
    Pair: (_, pair) => {
      const key = pair.key as { commentBefore?: string };
      if (random() % 3 === 0) key.commentBefore = ` id: ${random()} \${NOT_A_USE}`;
    },
  });
  return document.toString({ lineWidth: 0 });
}

async function load(text: string) {
  writeFileSync(join(directory, "orgloop.yaml"), text);
  return await loadProject({ path: directory, env });
}

const randoms = fc.infiniteStream(fc.nat()).map((stream) => () => stream.next().value as number);

it("key order, comments and styles do not matter to the Topology", async () => {
  await fc.assert(
    fc.asyncProperty(projects, randoms, async (project, random) => {
      const plain = await load(JSON.stringify(project));
      expect(plain.errors).toEqual([]);
      const other = await load(decorated(shuffled(project, random), random));
      expect(other.errors).toEqual([]);
      expect(other.variables).toEqual([]);
      expect(other.topology).toEqual(plain.topology);
    }),
    { numRuns: 30 },
  );
});

/** Paths of the mappings whose keys are all known; free ones (config, filter) left out. */
function strictMappings(value: unknown, path: DocumentPath): DocumentPath[] {
  if (Array.isArray(value)) return value.flatMap((item, at) => strictMappings(item, [...path, at]));
  if (!isMapping(value)) return [];
  const inner = Object.entries(value).flatMap(([key, item]) =>
    key === "config" || key === "filter" ? [] : strictMappings(item, [...path, key]),
  );
  return [path, ...inner];
}

it("an unknown key anywhere is one error, and its place is where the key stands in the text", async () => {
  await fc.assert(
    fc.asyncProperty(projects, randoms, async (project, random) => {
      const places = strictMappings(project, []);
      const path = places[random() % places.length] ?? [];
      const broken = cloned(project);
      let target: Tree = broken;
      for (const step of path) target = target[step] as Tree;
      target.zzzzqqqq = 1;
      const text = decorated(shuffled(broken, random), random);
      const { errors } = await load(text);
      expect(errors).toMatchObject([
        { code: "unknown-key", path: formatPath([...path, "zzzzqqqq"]), file: "orgloop.yaml" },
      ]);
      const { line, column } = errors[0] as { line: number; column: number };
      expect(text.split("\n")[line - 1]?.slice(column - 1)).toMatch(/^"?zzzzqqqq/);
    }),
    { numRuns: 30 },
  );
});

/** Values and what must not stand in their place. */
const BREAKS: [DocumentPath, unknown, string][] = [
  [["defaults", "poll_interval"], "soon-xyzzy", "invalid-value"],
  [["sources", 0, "poll", "interval"], "xyzzy", "invalid-value"],
  [["sources", 0, "connector"], "Xyzzy!", "invalid-value"],
  [["actors", 0, "connector"], "../xyzzy", "invalid-value"],
  [["routes", 0, "when", "source", 0], "xyzzy.unknown.source", "unknown-reference"],
  [["routes", 0, "when", "events", 0], "xyzzy", "invalid-value"],
  [["routes", 0, "then", "actor"], "xyzzy.unknown.actor", "unknown-reference"],
  [["routes", 0, "transforms", 0, "ref"], "xyzzy", "unknown-reference"],
  [["routes", 0, "with", "prompt_file"], "./xyzzy.md", "file"],
];

it("a bad value is one error, and its place is where the value stands in the text", async () => {
  await fc.assert(
    fc.asyncProperty(projects, randoms, async (project, random) => {
      const [path, value, code] = BREAKS[random() % BREAKS.length] as (typeof BREAKS)[number];
      const broken = cloned(project);
      let target: Tree = broken;
      for (const step of path.slice(0, -1)) target = target[step] as Tree;
      target[path.at(-1) as string] = value;
      const text = decorated(shuffled(broken, random), random);
      const { errors } = await load(text);
      expect(errors).toMatchObject([{ code, path: formatPath(path) }]);
      const { line, column } = errors[0] as { line: number; column: number };
      const found = text
        .split("\n")
        [line - 1]?.slice(column - 1)
        .replace(/^["']/, "");
      expect(found?.startsWith(String(value))).toBe(true);
    }),
    { numRuns: 45 },
  );
});

/** Paths of every value of a document. */
function everyPath(value: unknown, path: DocumentPath): DocumentPath[] {
  if (typeof value !== "object" || value === null) return [path];
  const steps = Object.entries(value).flatMap(([key, item]) =>
    everyPath(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return [path, ...steps];
}

const anything = fc
  .jsonValue({ maxDepth: 2 })
  .filter((value) => !/__proto__|constructor|prototype/.test(JSON.stringify(value)));

it("whatever stands anywhere in a file, a load ends in a Topology or in errors at places that exist", async () => {
  await fc.assert(
    fc.asyncProperty(projects, randoms, anything, async (project, random, value) => {
      const broken = cloned(project);
      const paths = everyPath(broken, []).slice(1);
      const path = paths[random() % paths.length] ?? [];
      let target: Tree = broken;
      for (const step of path.slice(0, -1)) target = target[step] as Tree;
      target[path.at(-1) as string] = value;
      const text = decorated(broken, random);
      const { topology, errors } = await load(text);
      expect(topology === null).toBe(errors.length > 0);
      const lines = text.split("\n");
      for (const { line, column } of errors) {
        expect(lines[line - 1]?.length).toBeGreaterThanOrEqual(column - 1);
      }
      const places = errors.map(({ path: at, code }) => `${at} ${code}`);
      expect(new Set(places).size).toBe(places.length);
    }),
    { numRuns: 60 },
  );
});
