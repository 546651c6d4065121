import { globSync, readFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "..");

const ERROR_CODE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;
/** `NOT_RUNNING` is an error's, `unknown-key` that of a finding in a configuration. */
const CODE = new RegExp(`${ERROR_CODE.source}|^[a-z]+(-[a-z0-9]+)*$`);
/** Findings are made here only: elsewhere `code` is often something else. */
const MAKES_FINDINGS =
  /^packages\/(config\/src|engine\/src\/(routing\/match|settings)|cli\/src\/aws)\//;
/** Zod's own, which the configuration's reader turns into ours. */
const OF_ZOD = new Set(["custom", "unrecognized_keys"]);

/** Every code that the sources give to an error or a finding, each with the files that do. */
export function codesInSources(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const pattern = "{packages,functions,stacks}/**/*.ts";
  const exclude = (name: string) => name.includes("node_modules") || name.endsWith("dist");
  for (const file of globSync(pattern, { cwd: ROOT, exclude })) {
    if (/(\.test|-fixture)\.ts$|^packages\/testkit\//.test(file)) continue;
    for (const code of codesOf(file, readFileSync(path.join(ROOT, file), "utf8"))) {
      found.set(code, (found.get(code) ?? new Set()).add(file));
    }
  }
  return found;
}

function codesOf(file: string, text: string): readonly string[] {
  const given = (name: string): string => `\\b${name}\\(`;
  const codes = [
    ...argumentsOf(text, "new \\w+Error\\(", 0),
    ...argumentsOf(text, "\\bsuper\\(", 0),
    ...[...text.matchAll(/\bcode = "([^"]+)"/g)].map(([, code]) => code as string),
    ...takers(text).flatMap(({ name, at }) => argumentsOf(text, given(name), at)),
  ];
  const finds = MAKES_FINDINGS.test(file);
  if (finds) codes.push(...findingsOf(text));
  const form = finds ? CODE : ERROR_CODE;
  return codes.filter((code) => form.test(code) && !OF_ZOD.has(code));
}

/**
 * `code: "a"`, `code: b ? "a" : "c"`, `readonly code: "a" | "c"`, and the lists of yaml-values and
 * read-document.
 */
function findingsOf(text: string): readonly string[] {
  const inKeys = [...text.matchAll(/\bcode: (?!\{)([^,;}]*)/g)];
  const inLists = [
    ...text.matchAll(/^ +\[\/\^.*?\/, ("[^"]+"), /gm),
    ...text.matchAll(/^ +[A-Z_0-9]+: ("[a-z][a-z0-9-]*"),$/gm),
  ];
  return [...inKeys, ...inLists].flatMap(([, source = ""]) => literals(source, text));
}

/** Functions of the file that are given a code, and at which place. */
function takers(text: string): { readonly name: string; readonly at: number }[] {
  const declared =
    /(?:function|const|type) (\w+)(?:<\w+>)?(?: = )?\(((?:[^()]|\([^()]*\))*?\bcode: string)/g;
  return [...text.matchAll(declared)].map(([, name = "", before = ""]) => ({
    name: name.charAt(0).toLowerCase() + name.slice(1),
    at: split(before).length - 1,
  }));
}

/** The literals in the argument at `at` of every call that `call` finds. */
function argumentsOf(text: string, call: string, at: number): readonly string[] {
  return [...text.matchAll(new RegExp(call, "g"))].flatMap((match) => {
    const from = match.index + match[0].length;
    return literals(split(text.slice(from, from + 2_000))[at] ?? "", text);
  });
}

/** The texts in an expression; a constant of the file counts as its text. */
function literals(source: string, text: string): readonly string[] {
  const written = [...source.matchAll(/"([^"\n]*)"/g)].map(([, value]) => value as string);
  const [constant] = /^\s*[A-Z][A-Z_]+\s*$/.exec(source) ?? [];
  if (constant === undefined) return written;
  const value = new RegExp(`\\bconst ${constant.trim()} = "([^"]+)"`).exec(text)?.[1];
  return value === undefined ? written : [value];
}

/** An argument list at its top-level commas, up to where it closes. */
function split(source: string): readonly string[] {
  const parts = [""];
  let depth = 0;
  let quote = "";
  for (const character of source) {
    if (quote !== "") quote = character === quote ? "" : quote;
    else if (`"'\``.includes(character)) quote = character;
    else if ("([{".includes(character)) depth += 1;
    else if (")]}".includes(character)) depth -= 1;
    if (depth < 0) break;
    if (character === "," && depth === 0 && quote === "") parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts;
}
