import type { Findings } from "./findings.ts";
import { holdsReference } from "./schema/fields.ts";
import type { ProjectInput } from "./schema/project-schema.ts";
import type { SourceDocument } from "./source-document.ts";

/** Warns of a password in the bus's URL of a valid manifest: it would stand in the Topology, which is to hold no secret. */
export function checkSecrets(manifest: SourceDocument, findings: Findings): void {
  const { bus } = manifest.value as ProjectInput;
  const url = typeof bus === "string" ? bus : bus?.url;
  const password = /^[a-z]+:\/\/[^/@]*:([^/@]+)@/.exec(url ?? "")?.[1];
  if (password !== undefined && !holdsReference(password)) {
    findings.warnings.push({
      document: manifest,
      path: typeof bus === "string" ? ["bus"] : ["bus", "url"],
      at: "value",
      code: "secret-in-url",
      message: `the URL holds a password: write it as \${NAME} and set it in the environment`,
    });
  }
}
