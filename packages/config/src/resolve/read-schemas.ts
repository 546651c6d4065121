import { messageOf, OrgLoopError, type SchemaSpec } from "@orgloop/sdk";
import type { ProjectFiles } from "../read/project-files.ts";
import { readEvents } from "../read/yaml/read-yaml.ts";
import type { SchemaSpecs } from "./build-topology.ts";
import { at, type Declaration } from "./declarations.ts";
import type { Finding, Findings } from "./findings.ts";
import { type SourceDocument, sourceDocument } from "./source-document.ts";

/** A file that a source names for one of its schemas. */
export interface FoundSchema {
  readonly source: Declaration<"source">;
  /** What it is the schema of. */
  readonly key: string;
  readonly absolute: string;
  readonly files: ProjectFiles;
}

/** Characters of one schema; each goes with every state of the project that is kept. */
const MAX_LENGTH = 1_000_000;

/**
 * Reads and compiles the schemas, each file once: what is wrong with one is an error at its place
 * in its own file.
 */
export async function readSchemas(
  found: readonly FoundSchema[],
  findings: Findings,
): Promise<ReadonlyMap<Declaration, SchemaSpecs>> {
  const schemas = new Map<Declaration, Record<string, SchemaSpec>>();
  if (found.length === 0) return schemas;
  const { compileSchema, SchemaError } = await import("@orgloop/engine/event-schemas");
  const read = new Map<string, SchemaSpec | null>();

  function spec({ source, key, absolute, files }: FoundSchema): SchemaSpec | null {
    const file = files.display(absolute);
    let text: string;
    try {
      text = schemaText(files, absolute);
    } catch (error) {
      const message = messageOf(error);
      findings.errors.push({ ...at(source, ["schemas", key]), code: "file", message });
      return null;
    }
    const report = (problem: Pick<Finding, "path" | "message" | "offset">): void => {
      const document = jsonDocument(file, absolute, text);
      findings.errors.push({ document, at: "value", code: "json-schema", ...problem });
    };
    try {
      const schema: unknown = JSON.parse(text);
      compileSchema(schema);
      return { file, text: JSON.stringify(schema, null, 2) };
    } catch (error) {
      if (error instanceof SchemaError) for (const problem of error.problems) report(problem);
      else if (!(error instanceof SyntaxError)) throw error;
      else {
        const message = `no JSON: ${error.message.replace(/ in JSON at position .*/, "")}`;
        report({ path: [], message, offset: errorOffset(text) });
      }
      return null;
    }
  }

  for (const one of found) {
    if (!read.has(one.absolute)) read.set(one.absolute, spec(one));
    const known = read.get(one.absolute);
    if (!known) continue;
    schemas.set(one.source, { ...schemas.get(one.source), [one.key]: known });
  }
  return schemas;
}

/** Throws what reading does, and `TOO_LARGE`. */
function schemaText(files: ProjectFiles, absolute: string): string {
  const text = files.read(absolute).replace(/^\uFEFF/, "");
  if (text.length <= MAX_LENGTH) return text;
  throw new OrgLoopError(
    "TOO_LARGE",
    `the schema has ${text.length} characters: at most ${MAX_LENGTH} are taken`,
  );
}

/** JSON is YAML but for tabs, which in JSON stand only where a space may stand. */
function jsonDocument(file: string, absolute: string, text: string): SourceDocument {
  const yaml = text.replaceAll("\t", " ");
  try {
    readEvents(yaml);
    return sourceDocument(file, absolute, yaml, undefined);
  } catch {
    return sourceDocument(file, absolute, yaml, undefined, false);
  }
}

/** Where a text stops being the beginning of JSON: V8 does not always tell. */
function errorOffset(text: string): number {
  let good = 0;
  let bad = text.length;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (beginsJson(text.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function beginsJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const [, position] = /at position (\d+)/.exec(messageOf(error)) ?? [];
    return position === undefined
      ? messageOf(error).startsWith("Unexpected end")
      : Number(position) >= text.length;
  }
}
