import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { smallerRe2 } from "@orgloop/stacks";
import { afterAll, expect, test } from "vitest";

interface Table {
  readonly length: number;
  getLo(at: number): number;
  getHi(at: number): number;
  getStride(at: number): number;
}
interface Tables {
  readonly initializer: Readonly<Record<string, unknown>>;
  get(name: string): Table;
}
type UnicodeTables = Readonly<Record<"CATEGORIES" | "SCRIPTS", Tables>>;

const directory = await mkdtemp(path.join(tmpdir(), "orgloop-unicode-"));
afterAll(() => rm(directory, { recursive: true, force: true }));

/** What re2js keeps to itself. */
async function tablesOf(name: string, module: string): Promise<UnicodeTables> {
  const file = path.join(directory, name);
  await writeFile(file, module.replace(/^export \{[^}]*\};$/m, "export { UnicodeTables };"));
  return (await import(pathToFileURL(file).href)).UnicodeTables;
}

const require = createRequire(import.meta.url);
const file = path.join(path.dirname(require.resolve("re2js")), "index.js");
const module = await readFile(file, "utf8");
const own = await tablesOf("own.mjs", module);
const native = await tablesOf("native.mjs", smallerRe2(module));

const unassigned = /\p{Cn}/u;

/** Code points that are in one of the tables only, among those that both versions of Unicode have. */
function differences(left: Table, right: Table): readonly string[] {
  const found = new Map<number, boolean>();
  for (const table of [left, right]) {
    for (let at = 0; at < table.length; at++) {
      for (let one = table.getLo(at); one <= table.getHi(at); one += table.getStride(at)) {
        found.set(one, !found.has(one));
      }
    }
  }
  return [...found]
    .filter(([one, alone]) => alone && !unassigned.test(String.fromCodePoint(one)))
    .map(([one]) => one.toString(16));
}

test.each(["CATEGORIES", "SCRIPTS"] as const)(
  "the functions' regular expressions know the same %s as everywhere",
  (kind) => {
    const names = Object.keys(own[kind].initializer);
    expect(names.length).toBeGreaterThan(30);
    expect(Object.keys(native[kind].initializer)).toEqual(names);
    const different = names.filter(
      (name) => differences(own[kind].get(name), native[kind].get(name)).length > 0,
    );
    expect(different).toEqual([]);
  },
);
