import type { SourceDocument } from "./source-document.ts";
import type { DocumentKind } from "./validate-document.ts";

/** A document and what it is read as. */
export interface RawDocument {
  readonly kind: DocumentKind;
  readonly document: SourceDocument;
}
