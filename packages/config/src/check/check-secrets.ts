import { credentialsIn, isShown, valueAt } from "@orgloop/engine";
import { at, type LinkedDeclarations } from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";
import type { Scope } from "../resolve/scope.ts";
import type { SourceDocument } from "../resolve/source-document.ts";
import { isServerless } from "./check-serverless.ts";
import type { MarkedSecrets } from "./marked-secrets.ts";
import { secretsFromVars, writtenSecrets } from "./written-secrets.ts";

interface Checked extends LinkedDeclarations {
  readonly marked: MarkedSecrets;
}

/**
 * Tells of secrets in valid documents: a password in the bus's URL, and what the `config` of an
 * item holds under a key that is a secret's, or marked as one by its schema. A warning, since
 * `state.json` holds no more of it than a seal; an error on `sqs`, where the Topology lies in a
 * bucket.
 */
export function checkSecrets(
  settings: readonly SourceDocument[],
  { vars }: Pick<Scope, "vars">,
  { source, actor, transform, logger, marked }: Checked,
  findings: Findings,
): void {
  for (const document of settings) {
    const bus = valueAt(document.value, ["bus"]);
    const path = typeof bus === "string" ? ["bus"] : ["bus", "url"];
    const url = valueAt(document.value, path);
    if (typeof url !== "string") continue;
    const fromVars = secretsFromVars(url, vars);
    if (!credentialsIn(url).some(({ secret }) => isShown(secret, fromVars))) continue;
    findings.warnings.push({
      document,
      path,
      at: "value",
      code: "secret-in-url",
      message: `the URL holds a password: write it as \${NAME} and set it in the environment`,
    });
  }
  const serverless = isServerless(settings);
  const where = serverless ? "and set it by `sst secrets set`" : "and set it in the environment";
  for (const item of [...source, ...actor, ...transform, ...logger]) {
    const ofSchema = marked.get(item);
    for (const path of writtenSecrets(item.value.config, item.scope.vars, ["config"], ofSchema)) {
      const message = `a secret is written out: write it as \${NAME} ${where}`;
      const found = { ...at(item, path), code: "secret-written-out", message };
      (serverless && item.enabled ? findings.errors : findings.warnings).push(found);
    }
  }
}
