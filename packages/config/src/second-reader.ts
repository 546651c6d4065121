import { isDeepStrictEqual } from "node:util";
import { readYaml } from "./yaml-values.ts";

/**
 * Whether the `yaml` package, an independent reader, finds the same values in `text` as ours does. A document on which two
 * readers differ means different things to different tools: it is refused where that is looked at (a file with errors,
 * an edit). Not done on every load: for a large project it costs seconds.
 */
export async function readersAgree(text: string): Promise<boolean> {
  const { parseAllDocuments } = await import("yaml");
  const documents = parseAllDocuments(text, { merge: true, logLevel: "silent" });
  if (!Array.isArray(documents)) return readYaml(text) === undefined;
  const [first, ...more] = documents;
  if (first === undefined || more.length > 0 || first.errors.length > 0) return false;
  // readYaml has bounded what the aliases expand to.
  const ours = readYaml(text);
  return isDeepStrictEqual(first.toJS({ maxAliasCount: -1 }), ours);
}
