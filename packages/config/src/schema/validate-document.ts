import { describeIssue, formatPath, withoutConsequences } from "@orgloop/engine";
import { isMapping, withPlainNumbers } from "@orgloop/sdk";
import type * as z from "zod";
import type { Findings } from "../resolve/findings.ts";
import type { SourceDocument } from "../resolve/source-document.ts";
import { connectorGroupSchema } from "./connector-schema.ts";
import { loggerGroupSchema } from "./logger-schema.ts";
import { moduleSchema } from "./module-schema.ts";
import { passesSchema } from "./passes-schema.ts";
import { projectSchema, userConfigSchema } from "./project-schema.ts";
import { routeGroupSchema } from "./route-schema.ts";
import { teamSchema } from "./team-schema.ts";
import { transformGroupSchema } from "./transform-schema.ts";
import { workspaceSchema } from "./workspace-schema.ts";

/** The schema of each kind of document. */
export const DOCUMENT_SCHEMAS = {
  Project: projectSchema,
  ConnectorGroup: connectorGroupSchema,
  RouteGroup: routeGroupSchema,
  TransformGroup: transformGroupSchema,
  LoggerGroup: loggerGroupSchema,
  Workspace: workspaceSchema,
  Team: teamSchema,
  Module: moduleSchema,
} as const;

/** Texts from this length on are worth a compiled schema. */
const LARGE = 16 * 1024;

export type DocumentKind = keyof typeof DOCUMENT_SCHEMAS;

// Compiling what is parsed once takes longer than parsing it.
const ONCE = { jitless: true };

/** Checks `value`, of a document, against a schema; every problem is an error. */
export function checkSchema(
  document: SourceDocument,
  schema: z.ZodType,
  value: unknown,
  findings: Findings,
) {
  if (document.text.length >= LARGE && passesSchema(schema, value)) return;
  // A schema knows no number but a double: one that is kept as it is written is one as well.
  const issues = schema.safeParse(withPlainNumbers(value), ONCE).error?.issues;
  if (issues === undefined) return;
  const unset = new Set(
    findings.errors
      .filter((one) => one.code === "unknown-variable" && one.document.file === document.file)
      .map((one) => formatPath(one.path)),
  );
  for (const issue of withoutConsequences(
    issues.flatMap((one) => describeIssue(one, value, true)),
  )) {
    if (!unset.has(formatPath(issue.path))) findings.errors.push({ document, ...issue });
  }
}

/**
 * Checks a document against the schema of its kind; every problem is an error. v1alpha1 looks at
 * `kind` in the manifest only: a group without `apiVersion` and `kind` passes with a warning, one
 * of another kind does not.
 */
export function validateDocument(
  document: SourceDocument,
  kind: DocumentKind,
  findings: Findings,
): void {
  let value = document.value;
  if (value === undefined) return;
  if (kind.endsWith("Group") && isMapping(value)) {
    if (value.kind !== kind && Object.hasOwn(DOCUMENT_SCHEMAS, String(value.kind))) {
      const message = `the file holds a ${value.kind}, and is loaded as a ${kind}`;
      findings.errors.push({ document, path: ["kind"], at: "value", code: "wrong-kind", message });
      return;
    }
    const head = { apiVersion: "orgloop/v1alpha1", kind };
    const missing = Object.keys(head).filter((key) => !Object.hasOwn(value as object, key));
    if (missing.length > 0) {
      const wanted = missing.map((key) => `${key}: ${head[key as keyof typeof head]}`).join(", ");
      const message = `the file does not say ${wanted}`;
      findings.warnings.push({ document, path: [], at: "value", code: "missing-head", message });
      value = { ...head, ...value };
    }
  }
  checkSchema(document, DOCUMENT_SCHEMAS[kind], value, findings);
}

/** Checks `~/.orgloop/config.yaml`. */
export function validateUserConfig(document: SourceDocument, findings: Findings): void {
  if (document.value === undefined || document.value === null) return;
  checkSchema(document, userConfigSchema, document.value, findings);
}
