import { isMapping } from "./document-path.ts";
import type { Findings } from "./findings.ts";
import type { SourceDocument } from "./source-document.ts";

/** What the language has and this loader does not yet expand: one clear error each, instead of silence. */
export function refuseUnsupported(documents: readonly SourceDocument[], findings: Findings): void {
  for (const document of documents) {
    const modules = isMapping(document.value) ? document.value.modules : undefined;
    if (Array.isArray(modules) ? modules.length === 0 : !modules) continue;
    findings.errors.push({
      document,
      path: ["modules"],
      at: "key",
      code: "not-supported",
      message: "modules are not yet supported",
    });
  }
}
