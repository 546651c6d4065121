import type { ItemKind } from "./declarations.ts";
import type { DocumentPath } from "./document-path.ts";
import { formatPath } from "./document-path.ts";
import type { Position, SourceDocument } from "./source-document.ts";

/** Where an item was declared. */
export interface Origin {
  /** As in `Problem.file`. */
  readonly file: string;
  /** Inside the document, e.g. `["routes", 2]`. */
  readonly path: DocumentPath;
}

/** Where a value was written. */
export interface ValueOrigin extends Position {
  readonly file: string;
  readonly path: string;
}

/** What of a loaded project is needed to say where a value came from. */
export interface Provenance {
  /** Every declared item, by `originKey`; also those that are switched off. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Every document, by its file; those with defaults: nearest first. */
  readonly documents: ReadonlyMap<string, SourceDocument>;
  /** Files whose `defaults` apply, the one that wins first. */
  readonly defaultsFrom: readonly string[];
}

export const originKey = (kind: ItemKind, name: string): string => `${kind} ${name}`;

/** The paths in the item's own text where the Topology's `path` may have been written. */
function writtenAs(kind: ItemKind, path: DocumentPath): DocumentPath[] {
  const [first, second, ...rest] = path;
  if (kind === "route" && first === "delivery") return [["then", ...path], path];
  if (kind === "route" && first === "with") return [["with", "prompt_file"]];
  if (kind === "route" && first === "when" && (second === "source" || second === "events")) {
    return [path, ["when", second]];
  }
  if (kind === "transform" && first === "package") return [path, ["type"]];
  if (kind === "logger" && first === "config" && second === "rotation") {
    return [path, ["config", "rotate", ...rest]];
  }
  return [path];
}

/**
 * Where the value at `path` of an item of the Topology was written: in the item, or in the `defaults` that fill it in. Null
 * for a built-in default, and for an item that does not exist.
 */
export function valueOrigin(
  { origins, documents, defaultsFrom }: Provenance,
  kind: ItemKind,
  name: string,
  path: DocumentPath,
): ValueOrigin | null {
  const origin = origins.get(originKey(kind, name));
  if (origin === undefined) return null;
  const candidates: [string, DocumentPath][] = writtenAs(kind, path).map((written) => [
    origin.file,
    [...origin.path, ...written],
  ]);
  if (kind === "route" && path[0] === "delivery") {
    for (const file of defaultsFrom) candidates.push([file, ["defaults", ...path]]);
  }
  for (const [file, written] of candidates) {
    const document = documents.get(file);
    if (document?.place(written) === undefined) continue;
    return { file, ...document.locate(written), path: formatPath(written) };
  }
  return null;
}

/** Where the value at `path` of a document stands, or its nearest enclosing one; null for a file that was not read. */
export function locate(
  { documents }: Provenance,
  file: string,
  path: DocumentPath,
): Position | null {
  return documents.get(file)?.locate(path) ?? null;
}
