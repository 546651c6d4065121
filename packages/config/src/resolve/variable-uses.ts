import { type DocumentPath, formatPath } from "@orgloop/engine";
import type { Environment } from "../read/read-environment.ts";
import { offsetInValue } from "../read/yaml/offset-in-value.ts";
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
/**
 * Every `${…}` in a text; what no `}` comes after is not looked at, which would take the square of
 * its length.
 */
const referencesIn = (text: string) => text.slice(0, text.lastIndexOf("}") + 1).matchAll(REFERENCE);
/** Whether a `${` has no `}` after it. */
const isOpen = (text: string) => text.includes("${", text.lastIndexOf("}") + 1);
/**
 * A character of a text in double quotes may be written as its code: `"\x24{NAME}"` is a reference
 * as well. So is one with a line break inside that is escaped.
 */
const ESCAPED = /\\[xuU\r\n]/;
/** The names that a shell can set. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Whether every `${…}` in the text is a name that the environment has, or `vars.…`: then there is
 * nothing to tell of it. False says nothing more.
 */
function allDefined(text: string, env: Environment): boolean {
  if (ESCAPED.test(text) || isOpen(text)) return false;
  const wanted = new Set<string | undefined>();
  for (const [, name] of referencesIn(text)) wanted.add(name);
  return [...wanted].every((name = "") => {
    // What is not closed may go on in the next value.
    if (name.startsWith("vars.")) return !/[\s"'{]/.test(name);
    return VARIABLE_NAME.test(name) && env[name] !== undefined;
  });
}

/**
 * Tells of the `${NAME}` in `document` that are not set, a warning at their place: `validate` and
 * `plan` go on, `start` does not. `${…}` that is neither a name nor `vars.…` is an error.
 */
export function checkVariables(
  document: SourceDocument,
  env: Environment,
  findings: Findings,
): void {
  if (!allDefined(document.text, env)) findUses(document, env, findings);
}

/** Every `${NAME}` in `document`, as it was written. */
export const variableUses = (document: SourceDocument, env: Environment): VariableUse[] =>
  findUses(document, env, { errors: [], warnings: [] });

function findUses(document: SourceDocument, env: Environment, findings: Findings): VariableUse[] {
  const uses: VariableUse[] = [];
  if (!document.text.includes("${") && !ESCAPED.test(document.text)) return uses;

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
    if (isOpen(value)) {
      const offset = offsetInValue(document, path, value.slice(value.lastIndexOf("${")));
      const message = `\${ is not closed: expected \${NAME} or \${vars.NAME}`;
      findings.errors.push({ document, path, at: "value", code: "bad-reference", message, offset });
    }
    for (const [reference, name = ""] of referencesIn(value)) {
      if (name.startsWith("vars.")) continue;
      if (!VARIABLE_NAME.test(name)) {
        const offset = offsetInValue(document, path, reference);
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
        const offset = offsetInValue(document, path, reference);
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
  const place = () => document.position(offsetInValue(document, path, `$\{${name}}`));
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
