import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DocumentPath } from "./document-path.ts";
import { isMapping } from "./document-path.ts";
import type { Findings } from "./findings.ts";
import type { SourceDocument } from "./source-document.ts";

/** What the language has and this loader does not yet expand: one clear error each, instead of silence. */
export function refuseUnsupported(manifest: SourceDocument, findings: Findings): void {
  const refuse = (path: DocumentPath, what: string) =>
    findings.errors.push({
      document: manifest,
      path,
      at: "key",
      code: "not-supported",
      message: `${what} not yet supported`,
    });
  const value = isMapping(manifest.value) ? manifest.value : {};
  const projectDir = dirname(manifest.absolute);
  if (Array.isArray(value.modules) ? value.modules.length > 0 : value.modules) {
    refuse(["modules"], "modules are");
  }
  if (value.teams !== undefined) refuse(["teams"], "teams are");
  else if (entries(projectDir, "teams").some((entry) => entry.isDirectory())) {
    refuse([], "teams (the folder teams/) are");
  }
}

function entries(projectDir: string, name: string) {
  try {
    return readdirSync(join(projectDir, name), { withFileTypes: true });
  } catch {
    return [];
  }
}
