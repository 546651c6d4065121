import type { Problem } from "@orgloop/sdk";
import { type DocumentPath, formatPath } from "./document-path.ts";
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

/** The finding where the user wrote what is wrong: in the use of a module rather than in what it expands to. */
function asWritten(finding: Finding): Finding {
  let found = finding;
  for (let { instance } = found.document; instance !== undefined; { instance } = found.document) {
    const { document, path, message } = found;
    const place = instance.fromUse(path) ?? (OF_THE_USE.has(found.code) ? instance.use : null);
    if (place === null) break;
    const { line, column } = document.locate(path);
    const { offset: _, ...rest } = found;
    const inside = found === finding ? ` (${document.file}:${line}:${column})` : "";
    found = { ...rest, ...place, at: "value", message: message + inside };
  }
  return found;
}

/** The findings at their places, sorted by file and place, each once. */
export function toProblems(findings: readonly Finding[]): Problem[] {
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const finding of findings) {
    const { document, path, at, code, message, offset } = asWritten(finding);
    const place = offset === undefined ? document.locate(path, at) : document.position(offset);
    const problem = { file: document.file, ...place, path: formatPath(path), message, code };
    const identity = JSON.stringify(problem);
    if (seen.has(identity)) continue;
    seen.add(identity);
    problems.push(problem);
  }
  return problems.sort(inOrder);
}
