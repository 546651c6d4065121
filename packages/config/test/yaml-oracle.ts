import { parseAllDocuments } from "yaml";

/** What an independent reader finds in a text, or why it refuses it. */
export type OracleReading = { readonly value: unknown } | { readonly error: string };

/** What the `yaml` package, which we read nothing with, finds in `text`. */
export function yamlOracle(text: string): OracleReading {
  const documents = parseAllDocuments(text, { merge: true, logLevel: "silent" });
  const [first, second] = Array.isArray(documents) ? documents : [];
  if (first === undefined) return { value: undefined };
  if (second !== undefined) return { error: "SEVERAL" };
  const [problem] = first.errors;
  if (problem !== undefined) return { error: problem.code };
  try {
    return { value: first.toJS({ maxAliasCount: -1 }) };
  } catch (error) {
    return { error: String(error) };
  }
}
