import { type DocumentPath, suggestion, valueAt } from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import type { Findings } from "../resolve/findings.ts";
import type { SourceDocument } from "../resolve/source-document.ts";
import type { DocumentKind } from "./validate-document.ts";

/** The kinds of files that declare items. */
const GROUPS = ["ConnectorGroup", "RouteGroup", "TransformGroup", "LoggerGroup"] as const;

/**
 * The kind that the file of a team or a module says it is; one that says none, or another, is an
 * error.
 */
export function groupKind(document: SourceDocument, findings: Findings): DocumentKind | undefined {
  const kind = valueAt(document.value, ["kind"]);
  const found = GROUPS.find((group) => group === kind);
  if (found !== undefined || document.value === undefined) return found;
  const message =
    typeof kind === "string"
      ? `expected one of ${GROUPS.join(", ")}, found "${kind}"${suggestion(kind, GROUPS, "kinds")}`
      : `"kind" is missing: expected one of ${GROUPS.join(", ")}`;
  const path: DocumentPath = isMapping(document.value) ? ["kind"] : [];
  findings.errors.push({ document, path, at: "value", code: "unknown-kind", message });
  return undefined;
}
