import type { DocumentPath } from "./document-path.ts";
import { isMapping } from "./document-path.ts";
import type { ActorInput, SourceInput } from "./schema/connector-schema.ts";
import type { LoggerInput } from "./schema/logger-schema.ts";
import type { RouteInput } from "./schema/route-schema.ts";
import type { TransformInput } from "./schema/transform-schema.ts";
import type { SourceDocument } from "./source-document.ts";

/** The kinds of named items. */
export const ITEM_KINDS = ["source", "actor", "route", "transform", "logger"] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

/** The items as written. The types hold once every document has passed its schema: until then, look before use. */
export interface ItemInputs {
  source: SourceInput;
  actor: ActorInput;
  route: RouteInput;
  transform: TransformInput;
  logger: LoggerInput;
}

/** One item, and where it was declared. */
export interface Declaration<Kind extends ItemKind = ItemKind> {
  readonly kind: Kind;
  readonly name: string;
  readonly value: ItemInputs[Kind];
  readonly document: SourceDocument;
  readonly path: DocumentPath;
  /** Not switched off by `enabled: false`. */
  readonly enabled: boolean;
}

export type Declarations = { readonly [Kind in ItemKind]: Declaration<Kind>[] };

/** Every item that has a name, in the order of the files: also those with problems, so that references to them hold. */
export function collectDeclarations(documents: readonly SourceDocument[]): Declarations {
  const all: Declarations = { source: [], actor: [], route: [], transform: [], logger: [] };
  for (const document of documents) {
    if (!isMapping(document.value)) continue;
    for (const kind of ITEM_KINDS) {
      const list = document.value[`${kind}s`];
      if (!Array.isArray(list)) continue;
      const identity = kind === "source" || kind === "actor" ? "id" : "name";
      for (const [at, value] of list.entries()) {
        if (!isMapping(value) || typeof value[identity] !== "string") continue;
        const declaration = {
          kind,
          name: value[identity],
          value,
          document,
          path: [`${kind}s`, at],
          enabled: value.enabled !== false,
        };
        (all[kind] as unknown[]).push(declaration);
      }
    }
  }
  return all;
}

/** Where a declaration stands, for messages: `routes/a.yaml:12:5`. */
export function placeOf({ document, path }: Declaration): string {
  const { line, column } = document.locate(path);
  return `${document.file}:${line}:${column}`;
}
