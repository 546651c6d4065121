import { valueAt } from "./document-path.ts";
import type { Findings } from "./findings.ts";
import { holdsReference } from "./holds-reference.ts";
import type { SourceDocument } from "./source-document.ts";

/** Warns of a password in the bus's URL, in valid documents: it would stand in the Topology, which is to hold no secret. */
export function checkSecrets(documents: readonly SourceDocument[], findings: Findings): void {
  for (const document of documents) {
    const bus = valueAt(document.value, ["bus"]);
    const path = typeof bus === "string" ? ["bus"] : ["bus", "url"];
    const url = valueAt(document.value, path);
    if (typeof url !== "string") continue;
    const password = /^[a-z]+:\/\/[^/@]*:([^/@]+)@/.exec(url)?.[1];
    if (password === undefined || holdsReference(password)) continue;
    findings.warnings.push({
      document,
      path,
      at: "value",
      code: "secret-in-url",
      message: `the URL holds a password: write it as \${NAME} and set it in the environment`,
    });
  }
}
