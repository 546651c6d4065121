import { suggestion } from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import type { Findings } from "../resolve/findings.ts";
import type { SourceDocument } from "../resolve/source-document.ts";
import type { Vars } from "../resolve/substitute-vars.ts";

/**
 * The `vars` of one document. One that refers to another is an error: they are not looked up in
 * each other.
 */
export function varsOf(document: SourceDocument, findings: Findings): Vars {
  const vars = isMapping(document.value) ? document.value.vars : undefined;
  if (!isMapping(vars)) return {};
  for (const [name, value] of Object.entries(vars)) {
    if (typeof value !== "string" || !value.includes("${vars.")) continue;
    findings.errors.push({
      document,
      path: ["vars", name],
      at: "value",
      code: "nested-variable",
      message: "a variable cannot refer to another variable: write its value",
    });
  }
  return vars;
}

/**
 * The manifest's `vars` with the workspace's laid over them. A variable of the workspace that the
 * manifest does not have and that none of `texts` uses changes nothing: an error.
 */
export function readVars(
  manifest: SourceDocument,
  workspace: SourceDocument | undefined,
  texts: readonly SourceDocument[],
  findings: Findings,
): Vars {
  const base = varsOf(manifest, findings);
  if (workspace === undefined) return base;
  const over = varsOf(workspace, findings);
  for (const name of Object.keys(over)) {
    if (Object.hasOwn(base, name) || texts.some(({ text }) => text.includes(`$\{vars.${name}}`))) {
      continue;
    }
    findings.errors.push({
      document: workspace,
      path: ["vars", name],
      at: "key",
      code: "unknown-override",
      message: `there is no variable "${name}" to change${suggestion(name, Object.keys(base), "variables")}`,
    });
  }
  return { ...base, ...over };
}
