import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "esbuild";

const TABLES = /^\tstatic (CATEGORIES|SCRIPTS) = new LazyMap\(\{\n([\s\S]*?)\n\t\}\);$/gm;
const NAME = /^\t\t(\w+): \(\) => new UnicodeRangeTable\(/gm;
const HELPER = JSON.stringify(join(import.meta.dirname, "native-unicode.ts"));

/**
 * re2js, its module's text, without the tables of Unicode's properties, a third of it: it asks Node's own regular expressions for
 * them when a pattern has one. Throws where it is another version, in which they are not found.
 */
export function smallerRe2(text: string): string {
  let replaced = 0;
  const smaller = text.replace(TABLES, (_, map: string, entries: string) => {
    replaced++;
    const names = [...entries.matchAll(NAME)].map(([, name]) => name).join(" ");
    const prefix = map === "SCRIPTS" ? "Script=" : "";
    return `\tstatic ${map} = new LazyMap(nativeTables("${prefix}", "${names}".split(" "), (triples) => new UnicodeRangeTable(triples)));`;
  });
  if (replaced !== 2) throw new Error("re2js is another version: where are its Unicode tables?");
  return `import { nativeTables } from ${HELPER};\n${smaller}`;
}

export const smallerRegex: Plugin = {
  name: "smaller-regex",
  setup(build) {
    build.onLoad({ filter: /[\\/]re2js[\\/]build[\\/]index\.js$/ }, async ({ path }) => ({
      contents: smallerRe2(await readFile(path, "utf8")),
      loader: "js",
    }));
  },
};
