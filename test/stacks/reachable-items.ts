import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../../packages/aws/src");
/** What is loaded: types are not. */
const IMPORT =
  /(?:^|\n)(?:import|export)\s+(?!type\b)(?:[^"';]*?\sfrom\s+)?"(\.[^"]+)"|import\("(\.[^"]+)"\)/g;
const ITEM = /\b(?:singleKey|listedKey|listItems)\(\s*(?:[\w.]+,\s*)?("[\w-]+"|[A-Z_]+)/g;

/** Names of kinds that are written once. */
const constants = (): ReadonlyMap<string, string> =>
  new Map(
    globSync("state/**/*.ts", { cwd: ROOT }).flatMap((file) =>
      Array.from(
        readFileSync(path.join(ROOT, file), "utf8").matchAll(/const ([A-Z_]+) = "([\w-]+)"/g),
        ([, name = "", kind = ""]) => [name, kind] as const,
      ),
    ),
  );

/**
 * The kinds of the state table's items (what their `pk` begins with) that a function's code can
 * reach by its imports: more than it uses, never less.
 */
export function reachableItems(functionFile: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const kinds = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file) || !existsSync(file)) return;
    seen.add(file);
    const text = readFileSync(file, "utf8");
    for (const [, named = ""] of text.matchAll(ITEM)) {
      kinds.add(named.startsWith('"') ? named.slice(1, -1) : (constants().get(named) ?? named));
    }
    for (const [, from, lazily] of text.matchAll(IMPORT)) {
      visit(path.resolve(path.dirname(file), from ?? lazily ?? ""));
    }
  };
  visit(path.join(ROOT, functionFile));
  return kinds;
}
