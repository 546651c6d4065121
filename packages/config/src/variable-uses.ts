import type { DocumentPath } from "./document-path.ts";
import { formatPath } from "./document-path.ts";
import type { Findings } from "./findings.ts";
import type { SourceDocument } from "./source-document.ts";

/** One `${NAME}` in a file. */
export interface VariableUse {
  readonly name: string;
  /** Relative to the project, with `/`. */
  readonly file: string;
  /** From 1; of the `$`. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** Inside the document. */
  readonly path: string;
  /** Whether the environment has it. */
  readonly defined: boolean;
}

const REFERENCE = /\$\{([^}]*)\}/g;
/** The names that a shell can set. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Every `${NAME}` in `document`, as it was written. One that is not set is a warning at its place: `validate` and `plan`
 * go on, `start` does not. `${…}` that is neither a name nor `vars.…` is an error.
 */
export function variableUses(
  document: SourceDocument,
  env: Readonly<Record<string, string | undefined>>,
  findings: Findings,
): VariableUse[] {
  const uses: VariableUse[] = [];
  if (!document.text.includes("${")) return uses;

  /** Of the value being visited. */
  const here: (string | number)[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const [at, item] of value.entries()) visitAt(at, item);
    } else if (typeof value === "object" && value !== null) {
      for (const key in value) visitAt(key, value[key as keyof typeof value]);
    } else if (typeof value === "string" && value.includes("${")) visitText(value, [...here]);
  };
  const visitAt = (step: string | number, value: unknown) => {
    if (typeof value !== "object" && typeof value !== "string") return;
    here.push(step);
    visit(value);
    here.pop();
  };
  const visitText = (value: string, path: DocumentPath): void => {
    for (const [reference, name = ""] of value.matchAll(REFERENCE)) {
      if (name.startsWith("vars.")) continue;
      if (!VARIABLE_NAME.test(name)) {
        const offset = offsetOf(document, path, reference);
        const message = `${reference} is no reference: expected \${NAME} or \${vars.NAME}; there are no defaults and no escapes`;
        findings.errors.push({
          document,
          path,
          at: "value",
          code: "bad-reference",
          message,
          offset,
        });
        continue;
      }
      const defined = env[name] !== undefined;
      uses.push(variableUse(document, path, name, defined));
      if (!defined) {
        const offset = offsetOf(document, path, reference);
        const message = `environment variable "${name}" is not set`;
        findings.warnings.push({
          document,
          path,
          at: "value",
          code: "missing-variable",
          message,
          offset,
        });
      }
    }
  };
  visit(document.value);
  return uses;
}

/** Its place is computed when someone asks: thousands of uses are never asked for theirs. */
function variableUse(
  document: SourceDocument,
  path: DocumentPath,
  name: string,
  defined: boolean,
): VariableUse {
  const place = () => document.position(offsetOf(document, path, `$\{${name}}`));
  return {
    name,
    file: document.file,
    get line() {
      return place().line;
    },
    get column() {
      return place().column;
    },
    get path() {
      return formatPath(path);
    },
    defined,
  };
}

function offsetOf(document: SourceDocument, path: DocumentPath, reference: string): number {
  const place = document.place(path);
  if (place === undefined || place.start < 0) return 0;
  const at = document.text.slice(place.start, place.end).indexOf(reference);
  return at === -1 ? place.start : place.start + at;
}
