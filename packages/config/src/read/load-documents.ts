import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { hasCode, isMapping, messageOf } from "@orgloop/sdk";
import type { Findings } from "../resolve/findings.ts";
import type { Scope } from "../resolve/scope.ts";
import type { SourceDocument } from "../resolve/source-document.ts";
import type { DocumentKind } from "../schema/validate-document.ts";
import type { ProjectFiles } from "./project-files.ts";
import type { RawDocument } from "./raw-document.ts";
import { readDocument } from "./read-document.ts";

/** A document, `${vars.x}` replaced, and whose it is. */
export interface LoadedDocument {
  /** Undefined where it does not say what it holds, which is an error by then. */
  readonly kind: DocumentKind | undefined;
  readonly document: SourceDocument;
  readonly scope: Scope;
}

const LISTS: readonly (readonly [string, DocumentKind])[] = [
  ["connectors", "ConnectorGroup"],
  ["transforms", "TransformGroup"],
  ["loggers", "LoggerGroup"],
];

const isTest = (file: string) => /\.test\.ya?ml$/.test(file);

/**
 * The files of a project: the manifest, what it lists, and `routes/*.yaml|yml` in the order of
 * their names (v1alpha1, 1).
 */
export function loadDocuments(
  manifest: SourceDocument,
  files: ProjectFiles,
  findings: Findings,
): RawDocument[] {
  const loaded: RawDocument[] = [{ kind: "Project", document: manifest }];
  if (!isMapping(manifest.value)) return loaded;
  const seen = new Map<string, string>();

  for (const [list, kind] of LISTS) {
    const entries = manifest.value[list];
    if (!Array.isArray(entries)) continue;
    for (const [at, written] of entries.entries()) {
      if (typeof written !== "string" || written === "" || written.includes("${")) continue;
      const report = (code: string, message: string) =>
        findings.errors.push({ document: manifest, path: [list, at], at: "value", code, message });
      try {
        const absolute = files.find(written, [dirname(manifest.absolute)]);
        const earlier = seen.get(absolute);
        if (earlier !== undefined)
          report("listed-twice", `${written} is already listed: ${earlier}`);
        else if (isTest(absolute))
          report("test-file", `${written} is a test: tests are not loaded`);
        else if (inModule(absolute, files.root)) {
          report("module-file", `${written} belongs to a module: name the module under modules`);
        } else loaded.push({ kind, document: readDocument(files, absolute, findings) });
        seen.set(absolute, `${list}[${at}]`);
      } catch (error) {
        report("file", messageOf(error));
      }
    }
  }
  warnAboutListedRoutes(manifest, findings);
  for (const absolute of routeFiles(files, dirname(manifest.absolute), manifest, findings)) {
    loaded.push({ kind: "RouteGroup", document: readDocument(files, absolute, findings) });
  }
  return loaded;
}

/**
 * v1alpha1's documentation lists route files in the manifest; its loader ignores that list, and so
 * does this one.
 */
function warnAboutListedRoutes(manifest: SourceDocument, findings: Findings): void {
  const routes = isMapping(manifest.value) ? manifest.value.routes : undefined;
  if (!Array.isArray(routes)) return;
  for (const [at, route] of routes.entries()) {
    if (typeof route !== "string" || /^(\.\/)?routes\/[^/]+\.ya?ml$/.test(route)) continue;
    const message = `"${route}" is ignored: route files are loaded from routes/ without being listed`;
    const path = ["routes", at];
    findings.warnings.push({ document: manifest, path, at: "value", code: "ignored", message });
  }
}

function inModule(absolute: string, root: string): boolean {
  for (let at = dirname(absolute); at.length > root.length; at = dirname(at)) {
    if (existsSync(join(at, "orgloop-module.yaml"))) return true;
  }
  return false;
}

function routeFiles(
  files: ProjectFiles,
  projectDir: string,
  manifest: SourceDocument,
  findings: Findings,
): string[] {
  const directory = join(projectDir, "routes");
  let names: string[];
  try {
    names = readdirSync(directory).sort();
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return [];
    const message = `routes/ cannot be read: ${messageOf(error)}`;
    findings.errors.push({ document: manifest, path: [], at: "value", code: "file", message });
    return [];
  }
  if (names.includes("orgloop-module.yaml")) return [];
  return names.flatMap((name) => {
    if (!/\.ya?ml$/.test(name) || isTest(name)) return [];
    try {
      return [files.find(join("routes", name), [projectDir])];
    } catch (error) {
      const message = messageOf(error);
      findings.errors.push({ document: manifest, path: [], at: "value", code: "file", message });
      return [];
    }
  });
}
