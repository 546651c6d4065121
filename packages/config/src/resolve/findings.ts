import { type DocumentPath, formatPath } from "@orgloop/engine";
import type { Problem } from "@orgloop/sdk";
import type { SourceDocument } from "./source-document.ts";

/** A problem whose place is not computed yet: most loads have none, and need none. */
export interface Finding {
  readonly document: SourceDocument;
  readonly path: DocumentPath;
  readonly at: "key" | "value";
  readonly code: string;
  readonly message: string;
  /** Overrides the place of `path`. */
  readonly offset?: number;
}

/** Collects what is found; errors make a load fail, warnings do not. */
export interface Findings {
  readonly errors: Finding[];
  readonly warnings: Finding[];
}

const inOrder = (left: Problem, right: Problem) =>
  (left.file < right.file ? -1 : left.file > right.file ? 1 : 0) ||
  left.line - right.line ||
  left.column - right.column;

/** Problems that a module's file has only in the place where it is used. */
const OF_THE_USE = new Set([
  "unknown-reference",
  "not-exported",
  "disabled-reference",
  "duplicate-name",
]);

/**
 * A finding where the user wrote what is wrong, and where that is in the module that it was given
 * to.
 */
interface WrittenFinding extends Finding {
  /** Empty where the user wrote the file itself. */
  readonly inside: string;
  /**
   * Whether it lies in what was given for a parameter: then it is one mistake, wherever the module
   * takes it.
   */
  readonly given: boolean;
}

/**
 * The finding where the user wrote what is wrong: in the use of a module rather than in what it
 * expands to.
 */
function asWritten(finding: Finding): WrittenFinding {
  let found = finding;
  let inside = "";
  let given = true;
  for (let { instance } = found.document; instance !== undefined; { instance } = found.document) {
    const { document, path } = found;
    const ofParameter = instance.fromUse(path);
    const place = ofParameter ?? (OF_THE_USE.has(found.code) ? instance.use : null);
    if (place === null) break;
    given &&= ofParameter !== null;
    const { line, column } = document.locate(path);
    const { offset: _, ...rest } = found;
    if (found === finding) inside = ` (${document.file}:${line}:${column})`;
    found = { ...rest, ...place, at: "value" };
  }
  return { ...found, inside, given };
}

/** The findings at their places, sorted by file and place, each once. */
export function toProblems(findings: readonly Finding[]): Problem[] {
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const finding of findings) {
    const { document, path, at, code, message, offset, inside, given } = asWritten(finding);
    const place = offset === undefined ? document.locate(path, at) : document.position(offset);
    const problem = { file: document.file, ...place, path: formatPath(path), message, code };
    const identity = JSON.stringify(given ? problem : { ...problem, inside });
    if (seen.has(identity)) continue;
    seen.add(identity);
    problems.push({ ...problem, message: message + inside });
  }
  return problems.sort(inOrder);
}
