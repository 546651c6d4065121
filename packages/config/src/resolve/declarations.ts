import type { DocumentPath } from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import type { ActorInput, SourceInput } from "../schema/connector-schema.ts";
import type { LoggerInput } from "../schema/logger-schema.ts";
import type { RouteInput } from "../schema/route-schema.ts";
import type { TransformInput } from "../schema/transform-schema.ts";
import { placed } from "./layer.ts";
import type { Scope } from "./scope.ts";
import type { Layer, SourceDocument } from "./source-document.ts";

/** The kinds of named items. */
export const ITEM_KINDS = ["source", "actor", "route", "transform", "logger"] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

/**
 * The items as written. The types hold once every document has passed its schema: until then, look
 * before use.
 */
export interface ItemInputs {
  source: SourceInput;
  actor: ActorInput;
  route: RouteInput;
  transform: TransformInput;
  logger: LoggerInput;
}

/** What a route refers to, by full names; what was not found is as it is written. */
export interface RouteLinks {
  readonly sources: readonly string[];
  readonly actor: string;
  /** One for each of the route's transforms. */
  readonly transforms: readonly string[];
  /** The actor does not exist yet, and events wait for it (`fallback: queue`). */
  readonly awaitsActor: boolean;
}

/** One item, and where it was declared. */
export interface Declaration<Kind extends ItemKind = ItemKind> {
  readonly kind: Kind;
  /** Its full name, unique among its kind: a team's and an instance's prefix included. */
  readonly name: string;
  /** What the workspace changes is changed. The names in it are the ones written. */
  readonly value: ItemInputs[Kind];
  /** Where it is written, the strongest first: the workspace's override, the declaration itself. */
  readonly layers: readonly [Layer, ...Layer[]];
  readonly scope: Scope;
  /** Not switched off by `enabled: false`. */
  readonly enabled: boolean;
}

/** A route whose references have been looked up. */
export interface LinkedRoute extends Declaration<"route"> {
  readonly links: RouteLinks;
}

export type Declarations = { readonly [Kind in ItemKind]: Declaration<Kind>[] };

export type LinkedDeclarations = Omit<Declarations, "route"> & { readonly route: LinkedRoute[] };

/** The key that names an item. */
export const identityOf = (kind: ItemKind): "id" | "name" =>
  kind === "source" || kind === "actor" ? "id" : "name";

/** A document whose lists are items of a scope. */
export interface ScopedDocument {
  readonly document: SourceDocument;
  readonly scope: Scope;
}

/**
 * Every item that has a name, in the order of the files: also those with problems, so that
 * references to them hold.
 */
export function collectDeclarations(documents: readonly ScopedDocument[]): Declarations {
  const all: Declarations = { source: [], actor: [], route: [], transform: [], logger: [] };
  for (const { document, scope } of documents) {
    if (!isMapping(document.value)) continue;
    for (const kind of ITEM_KINDS) {
      const list = document.value[`${kind}s`];
      if (!Array.isArray(list)) continue;
      const identity = identityOf(kind);
      for (const [at, value] of list.entries()) {
        if (!isMapping(value) || typeof value[identity] !== "string") continue;
        const declaration = {
          kind,
          name: scope.qualify(value[identity]),
          value,
          layers: [{ document, path: [`${kind}s`, at] }],
          scope,
          enabled: value.enabled !== false,
        };
        (all[kind] as unknown[]).push(declaration);
      }
    }
  }
  return all;
}

/**
 * Where the value at `path` of an item is written, for findings: the workspace's file where that
 * says it.
 */
export const at = (item: Declaration, path: DocumentPath): Layer & { readonly at: "value" } => ({
  ...placed(item.layers, path),
  at: "value",
});

/** Where an item is declared, for messages: `routes/a.yaml:12:5`. */
export function placeOf({ layers }: Declaration): string {
  const { document, path } = layers.at(-1) as Layer;
  const { line, column } = document.locate(path);
  return `${document.file}:${line}:${column}`;
}
