import { existsSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { valueAt } from "@orgloop/engine";
import { isMapping, messageOf, OrgLoopError } from "@orgloop/sdk";
import { type ProjectFiles, projectFiles } from "../read/project-files.ts";
import type { RawDocument } from "../read/raw-document.ts";
import { readDocument } from "../read/read-document.ts";
import type { Findings } from "../resolve/findings.ts";
import type { SourceDocument } from "../resolve/source-document.ts";
import { yamlFiles } from "../resolve/team-folders.ts";
import { groupKind } from "../schema/group-kind.ts";
import type { ParameterInput, RequirementInput } from "../schema/module-schema.ts";
import { validateDocument } from "../schema/validate-document.ts";

const MANIFEST = "orgloop-module.yaml";

/** A module's folder, read: what its instances are made from. */
export interface LoadedModule {
  readonly name: string;
  readonly version: string | undefined;
  readonly manifest: SourceDocument;
  readonly parameters: readonly ParameterInput[];
  readonly requirements: readonly RequirementInput[];
  readonly templates: readonly RawDocument[];
  /** The module's own files, and none beside them. */
  readonly files: ProjectFiles;
  /** Relative to the project, with `/`. */
  readonly path: string;
  /** False where its own files have errors, which are reported already. */
  readonly sound: boolean;
}

/**
 * Finds the module that `written` names in a file of the folder `from`. Throws, in words for the
 * one who wrote it.
 */
export type ModuleLoader = (written: string, from: string, user: ProjectFiles) => LoadedModule;

/** Every module is read once, however many instances it has. */
export function moduleLoader(project: ProjectFiles, findings: Findings): ModuleLoader {
  const known = new Map<string, LoadedModule>();
  return (written, from, user) => {
    const root = /^\.{0,2}[/\\]|^\.{1,2}$/.test(written)
      ? localFolder(written, from, user)
      : packageFolder(written, [from, user.root, project.root]);
    const found = known.get(root) ?? readModule(root, project, findings);
    known.set(root, found);
    return found;
  };
}

function localFolder(written: string, from: string, user: ProjectFiles): string {
  for (const base of new Set([from, user.root])) {
    const folder = user.folder(resolve(base, written), written);
    if (folder === undefined) continue;
    if (existsSync(join(folder, MANIFEST))) return folder;
    throw new OrgLoopError(
      "MISSING",
      `the folder "${written}" is no module: it has no ${MANIFEST}`,
    );
  }
  throw new OrgLoopError("MISSING", `there is no folder "${written}"`);
}

function packageFolder(name: string, from: readonly string[]): string {
  if (!/^(@[\w~-][\w.~-]*\/)?[\w~-][\w.~-]*$/.test(name)) {
    const message = `"${name}" is neither the name of a package nor a path such as ./modules/NAME`;
    throw new OrgLoopError("INVALID_NAME", message);
  }
  for (const start of new Set(from)) {
    for (let at = start; ; at = dirname(at)) {
      const folder = join(at, "node_modules", name);
      if (existsSync(join(folder, MANIFEST))) return folder;
      if (existsSync(folder)) {
        throw new OrgLoopError("MISSING", `package "${name}" is no module: it has no ${MANIFEST}`);
      }
      if (dirname(at) === at) break;
    }
  }
  throw new OrgLoopError("MISSING", `package "${name}" is not installed${installHint(name)}`);
}

/** The parameters that a module's manifest declares. */
export const declaredParameters = (manifest: SourceDocument): ParameterInput[] =>
  itemsOf(valueAt(manifest.value, ["parameters"]));

const itemsOf = <Item>(value: unknown): Item[] =>
  (Array.isArray(value) ? value.filter(isMapping) : []) as Item[];

function readModule(root: string, project: ProjectFiles, findings: Findings): LoadedModule {
  const files = projectFiles(root, project.root);
  const before = findings.errors.length;
  const manifest = readDocument(files, files.find(MANIFEST, [root]), findings);
  validateDocument(manifest, "Module", findings);
  const templates: RawDocument[] = [];
  try {
    for (const file of yamlFiles(join(root, "templates"), files)) {
      const document = readDocument(files, file, findings);
      const kind = groupKind(document, findings);
      if (kind) templates.push({ kind, document });
    }
  } catch (error) {
    const message = messageOf(error);
    findings.errors.push({ document: manifest, path: [], at: "value", code: "file", message });
  }
  const version = valueAt(manifest.value, ["metadata", "version"]);
  return {
    name: String(valueAt(manifest.value, ["metadata", "name"])),
    version: typeof version === "string" ? version : undefined,
    manifest,
    parameters: declaredParameters(manifest),
    requirements: itemsOf(valueAt(manifest.value, ["requires", "connectors"])),
    templates,
    files,
    path: relative(project.root, root).replaceAll(sep, "/"),
    sound: findings.errors.length === before,
  };
}

/** An unscoped name is not named to be installed: what is published under it is somebody else's. */
const installHint = (name: string): string =>
  name.startsWith("@")
    ? `: run npm install ${name}`
    : `: for a folder of the project write ./${name}`;
