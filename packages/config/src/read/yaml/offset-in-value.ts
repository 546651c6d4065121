import type { DocumentPath } from "@orgloop/engine";
import type { SourceDocument } from "../../resolve/source-document.ts";

/**
 * Where `part` of the text at `path` stands in the document; where it is written otherwise
 * (escaped), where the text begins.
 */
export function offsetInValue(document: SourceDocument, path: DocumentPath, part: string): number {
  const place = document.place(path);
  if (place === undefined || place.start < 0) return 0;
  const at = document.text.slice(place.start, place.end).indexOf(part);
  return at === -1 ? place.start : place.start + at;
}
