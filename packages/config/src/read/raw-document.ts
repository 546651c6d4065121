import type { SourceDocument } from "../resolve/source-document.ts";
import type { DocumentKind } from "../schema/validate-document.ts";

/** A document and what it is read as. */
export interface RawDocument {
  readonly kind: DocumentKind;
  readonly document: SourceDocument;
}
