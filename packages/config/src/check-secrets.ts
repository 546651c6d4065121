import type { Declaration, Declarations } from "./declarations.ts";
import { isMapping } from "./document-path.ts";
import type { Findings } from "./findings.ts";
import { holdsReference } from "./schema/fields.ts";
import type { ProjectInput } from "./schema/project-schema.ts";
import type { SourceDocument } from "./source-document.ts";

const RECEIVES = /(^|[/-])webhook$/;

/** Warnings of a valid project: a password in the bus's URL would enter the Topology; a webhook without a secret takes events from anyone. */
export function checkSecrets(
  declarations: Declarations,
  manifest: SourceDocument,
  findings: Findings,
): void {
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
  for (const source of declarations.source) if (source.enabled) checkWebhook(source, findings);
}

function checkWebhook({ value, document, path }: Declaration<"source">, findings: Findings): void {
  if (!RECEIVES.test(value.connector)) return;
  const config = isMapping(value.config) ? value.config : {};
  if (Object.keys(config).some((key) => /secret/.test(key))) return;
  const message = `source "${value.id}" has no secret: it takes events from anyone who can reach it`;
  findings.warnings.push({
    document,
    path: [...path, "id"],
    at: "value",
    code: "no-secret",
    message,
  });
}
