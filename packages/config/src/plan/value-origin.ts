import { type DocumentPath, formatPath, valueAt } from "@orgloop/engine";
import type { Declaration, Declarations, ItemKind } from "../resolve/declarations.ts";
import { oncePerScope } from "../resolve/scope.ts";
import type { Layer, Position, SourceDocument } from "../resolve/source-document.ts";

/**
 * Whose an item is: at the root no team's, and no instance's unless a module brings it. One value
 * for all items of a scope.
 */
export interface Owner {
  readonly team: string | null;
  readonly instance: string | null;
}

/** Where an item was declared. */
export interface Origin {
  /** As in `Problem.file`. */
  readonly file: string;
  /** Inside the document, e.g. `["routes", 2]`. */
  readonly path: DocumentPath;
  /**
   * Everything that says something about the item, the strongest first; the declaration itself is
   * the last.
   */
  readonly layers: readonly Layer[];
  /** The `defaults` that apply to it, the strongest first. */
  readonly defaults: readonly Layer[];
  readonly owner: Owner;
}

/** Where a value was written. */
export interface ValueOrigin extends Position {
  readonly file: string;
  readonly path: string;
}

/** What of a loaded project is needed to say where a value came from. */
export interface Provenance {
  /**
   * Where an item was declared, by its full name; also one that is switched off. Undefined for one
   * that does not exist.
   */
  readonly originOf: (kind: ItemKind, name: string) => Origin | undefined;
  /** `Origin.owner`, for less. */
  readonly ownerOf: (kind: ItemKind, name: string) => Owner | undefined;
  /** Every document, by its file; the manifest is the first. */
  readonly documents: ReadonlyMap<string, SourceDocument>;
  /** Documents whose `bus`, `defaults`, `network`, `aws` and `vars` apply, the strongest first. */
  readonly settings: readonly SourceDocument[];
}

/** Of nothing that is written anywhere. */
export const NOWHERE: Provenance = {
  originOf: () => undefined,
  ownerOf: () => undefined,
  documents: new Map(),
  settings: [],
};

/**
 * Where these items stand; of several of one name, the first. They are looked through when one is
 * asked for.
 */
export function originsOf(
  declarations: Partial<Declarations>,
): Pick<Provenance, "originOf" | "ownerOf"> {
  const known = new Map<ItemKind, Map<string, Declaration>>();
  const ofKind = (kind: ItemKind) => {
    const byName = new Map<string, Declaration>();
    for (const item of declarations[kind] ?? []) {
      if (!byName.has(item.name)) byName.set(item.name, item);
    }
    known.set(kind, byName);
    return byName;
  };
  const find = (kind: ItemKind, name: string) => (known.get(kind) ?? ofKind(kind)).get(name);
  const ownerIn = oncePerScope(({ team, instance }) => ({
    team: team?.name ?? null,
    instance: instance?.name ?? null,
  }));
  return {
    originOf(kind, name) {
      const item = find(kind, name);
      if (item === undefined) return undefined;
      const { layers, scope } = item;
      const { document, path } = layers.at(-1) as Layer;
      const { file } = document;
      return { file, path, layers, defaults: scope.defaults, owner: ownerIn(scope) };
    },
    ownerOf(kind, name) {
      const item = find(kind, name);
      return item && ownerIn(item.scope);
    },
  };
}

/** The paths in the item's own text where the Topology's `path` may have been written. */
function writtenAs(kind: ItemKind, path: DocumentPath): DocumentPath[] {
  const [first, second, ...rest] = path;
  if (kind === "route" && first === "delivery") return [["then", ...path], path];
  if (kind === "route" && first === "with") return [["with", "prompt_file"]];
  if (kind === "route" && first === "when" && (second === "source" || second === "events")) {
    return [path, ["when", second]];
  }
  if (kind === "source" && first === "schemas") return [path.slice(0, 2)];
  if (kind === "transform" && first === "package") return [path, ["type"]];
  if (kind === "transform" && first === "script_sha256") return [["script"]];
  if (kind === "logger" && first === "config" && second === "rotation") {
    return [path, ["config", "rotate", ...rest]];
  }
  return [path];
}

/** The path in `defaults` of what fills in `path`; null where nothing does. */
function fromDefaults(kind: ItemKind, path: DocumentPath): DocumentPath | null {
  if (kind === "route" && path[0] === "delivery") return path;
  if (kind !== "source") return null;
  return path[0] === "poll" ? ["poll_interval"] : path[0] === "repeat_window" ? path : null;
}

/**
 * Where the value at `path` of an item of the Topology was written: in the workspace's override of
 * the item, in the item, or in the `defaults` that fill it in. Null for a built-in default, and for
 * an item that does not exist.
 */
export function valueOrigin(
  provenance: Provenance,
  kind: ItemKind,
  name: string,
  path: DocumentPath,
): ValueOrigin | null {
  const origin = provenance.originOf(kind, name);
  if (origin === undefined) return null;
  const ways = writtenAs(kind, path);
  const layers = path.length === 0 ? origin.layers.slice(-1) : origin.layers;
  const candidates = layers.flatMap(({ document, path: start }) =>
    ways.map((way): Layer => ({ document, path: [...start, ...way] })),
  );
  const fillIn = fromDefaults(kind, path);
  for (const { document, path: start } of fillIn ? origin.defaults : []) {
    candidates.push({ document, path: [...start, ...(fillIn ?? [])] });
  }
  return firstWritten(candidates);
}

/**
 * Where a value of the project itself was written, e.g. `["bus"]` or `["defaults",
 * "poll_interval"]`; null for a built-in one.
 */
export function settingOrigin({ settings }: Provenance, path: DocumentPath): ValueOrigin | null {
  return firstWritten(settings.map((document) => ({ document, path })));
}

function firstWritten(candidates: readonly Layer[]): ValueOrigin | null {
  for (const { document, path } of candidates) {
    if (!isWritten(document, path)) continue;
    const use = document.instance?.fromUse(path);
    if (use) return firstWritten([use]);
    return { file: document.file, ...document.locate(path), path: formatPath(path) };
  }
  return null;
}

/**
 * Of a list that is a module's parameter the file has the placeholder alone, and no place for what
 * is in it.
 */
const isWritten = (document: SourceDocument, path: DocumentPath) =>
  document.place(path) !== undefined ||
  (document.instance !== undefined && valueAt(document.value, path) !== undefined);

/**
 * Where the value at `path` of a document stands, or its nearest enclosing one; null for a file
 * that was not read.
 */
export function locate(
  { documents }: Provenance,
  file: string,
  path: DocumentPath,
): Position | null {
  return documents.get(file)?.locate(path) ?? null;
}
