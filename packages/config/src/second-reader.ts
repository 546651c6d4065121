import { isDeepStrictEqual } from "node:util";
import { withPlainNumbers } from "@orgloop/sdk";
import { type DocumentPath, isMapping } from "./document-path.ts";
import { readYaml } from "./yaml-values.ts";

/**
 * What two readers of YAML have been seen to differ on: tabs, carriage returns by themselves, tags, anchors and what they are called, merge keys, the end of a
 * document before its text, told indentation, comments less indented than what follows, byte order marks, numbers beyond what a
 * double holds. Everything else they read alike (property test).
 */
const DISPUTED =
  /\t|\r(?!\n)|^ *\.\.\.|^ +---|(?:^|[\s,[{:?-])(?:!|[&*]\S)|<<|^( *)#[^\n]*\n(?:[ \t]*\r?\n)*\1[ \]}]|[|>][+-]?\d|\uFEFF|[\d.][eE]\+?\d{3}|\d{300}/m;

/** Whether the second reader has to be asked of `text`, which is not plain and which ours can read. Linear. */
export const mayBeDisputed = (text: string): boolean => DISPUTED.test(text);

/** Where the second reader finds something else: a value, or an offset in the text. */
export type Dispute = { readonly path: DocumentPath } | { readonly offset: number };

/**
 * Where the `yaml` package, an independent reader, finds other values in `text` than ours does; null where they are the same. A
 * document on which two readers differ means different things to different tools: it is refused. Not asked of every document
 * of every load: for a large project that costs seconds (`mayBeDisputed`).
 */
export async function findDispute(text: string): Promise<Dispute | null> {
  const { parseAllDocuments } = await import("yaml");
  const documents = parseAllDocuments(text, { merge: true, logLevel: "silent" });
  // readYaml bounds what aliases expand to.
  const ours = readYaml(text);
  if (!Array.isArray(documents)) return ours === undefined ? null : { path: [] };
  const [first, second] = documents;
  if (first === undefined) return { path: [] };
  if (second !== undefined) return { offset: second.range[0] };
  const [error] = first.errors;
  if (error !== undefined) return { offset: error.pos[0] };
  let theirs: unknown;
  try {
    theirs = first.toJS({ maxAliasCount: -1 });
  } catch {
    return { path: [] };
  }
  if (ours === undefined && theirs === null) return null;
  const plain = withPlainNumbers(ours);
  return isDeepStrictEqual(theirs, plain) ? null : { path: firstDifference(theirs, plain) };
}

/** Whether both readers find the same values. Throws `YamlError` where ours finds none. */
export const readersAgree = async (text: string): Promise<boolean> =>
  (await findDispute(text)) === null;

/** The way to the first value that is not the same; as deep as both have the same keys. */
function firstDifference(left: unknown, right: unknown): DocumentPath {
  const both =
    (Array.isArray(left) && Array.isArray(right)) || (isMapping(left) && isMapping(right));
  if (!both) return [];
  const [one, other] = [new Map(Object.entries(left)), new Map(Object.entries(right))];
  for (const [key, value] of other) {
    if (isDeepStrictEqual(one.get(key), value)) continue;
    const step = Array.isArray(right) ? Number(key) : key;
    return one.has(key) ? [step, ...firstDifference(one.get(key), value)] : [step];
  }
  return [];
}
