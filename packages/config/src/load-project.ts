import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { messageOf, type PluginLookup, type Problem, type Topology } from "@orgloop/sdk";
import { applyWorkspace } from "./apply-workspace.ts";
import { attachFiles } from "./attach-files.ts";
import { buildTopology } from "./build-topology.ts";
import { checkDelivery } from "./check-delivery.ts";
import { checkPlugins } from "./check-plugins.ts";
import { checkSecrets } from "./check-secrets.ts";
import { checkServerless } from "./check-serverless.ts";
import { collectDeclarations, type Declaration } from "./declarations.ts";
import { documentCache } from "./document-cache.ts";
import { expandModules } from "./expand-modules.ts";
import { findManifest } from "./find-manifest.ts";
import { type Findings, toProblems } from "./findings.ts";
import { graphWarnings } from "./graph-warnings.ts";
import { inboxWarnings } from "./inbox-warnings.ts";
import { mergeLayers } from "./layer.ts";
import { linkReferences } from "./link-references.ts";
import { type ModuleInstance, moduleInstances } from "./module-instances.ts";
import { type ProjectFiles, projectFiles } from "./project-files.ts";
import { projectSettings } from "./project-settings.ts";
import { readDocument } from "./read-document.ts";
import { type Environment, readEnvironment } from "./read-environment.ts";
import { readProjectFiles, textsOf } from "./read-project-files.ts";
import { DEFAULT_WORKSPACE } from "./read-workspace.ts";
import { resolveDocuments } from "./resolve-documents.ts";
import type { Instance } from "./scope.ts";
import { readersAgree } from "./second-reader.ts";
import { type SourceDocument, sourceDocument } from "./source-document.ts";
import type { Unread } from "./unread.ts";
import { validateDocument, validateUserConfig } from "./validate-document.ts";
import { type Origin, originKey, type Provenance } from "./value-origin.ts";
import { type VariableUse, variableUses } from "./variable-uses.ts";

export interface LoadOptions {
  /** The project's directory, or its manifest. */
  readonly path: string;
  /** A file of `workspaces/`; `default` (the default) needs none. */
  readonly workspace?: string;
  /** The environment of the process; the project's `.env` is read below it. */
  readonly env: Environment;
  /** Finds packages; without it no `config` is checked against its package. */
  readonly lookup?: PluginLookup;
}

/** A project as far as it could be loaded. */
export interface LoadedProject {
  /** Null where there are errors. */
  readonly topology: Topology | null;
  /** Absolute. */
  readonly projectDir: string;
  /** Absolute. */
  readonly manifestFile: string;
  /** Sorted by file and place. */
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** Every `${NAME}` of every file, in the order of the files. */
  readonly variables: readonly VariableUse[];
  /** `network.allow_private`; null: all, in a process (`config-at-scale.md`, Reach). */
  readonly allowPrivate: readonly string[] | null;
  /** Every use of a module that is expanded, those around others first. */
  readonly instances: readonly ModuleInstance[];
  /** Where every item stands; `valueOrigin` reads it. */
  readonly provenance: Provenance;
}

/** What `loadProject` gathers before the places of the problems are computed. */
type Gathered = Omit<LoadedProject, "errors" | "warnings" | "instances" | "provenance"> & {
  readonly documents: readonly SourceDocument[];
  readonly settings: readonly SourceDocument[];
  readonly modules: readonly Instance[];
  readonly declarations: readonly Declaration[];
};

/**
 * Reads a project and resolves it to a Topology. Never throws for what stands in the files: every problem of the load is in
 * `errors` and `warnings`, at its place.
 */
export async function loadProject(options: LoadOptions): Promise<LoadedProject> {
  const { projectDir, manifestFile } = findManifest(options.path);
  const workspaceName = options.workspace ?? DEFAULT_WORKSPACE;
  const findings: Findings = { errors: [], warnings: [] };
  const nothing = { topology: null, projectDir, manifestFile, variables: [], allowPrivate: null };

  if (!existsSync(manifestFile)) {
    const document = sourceDocument(basename(manifestFile), manifestFile, "", undefined, false);
    const message = `there is no ${basename(manifestFile)} in ${projectDir}: run orgloop init, or name the project with --config`;
    findings.errors.push({ document, path: [], at: "value", code: "no-project", message });
    return finish(
      { ...nothing, documents: [], settings: [], modules: [], declarations: [] },
      findings,
    );
  }

  const env = environment(projectDir, options.env, findings);
  const cache = documentCache(join(homeOf(env), "cache", "config"));
  const files = projectFiles(projectDir, projectDir, cache);
  const user = userConfig(env, files, findings);
  const read = readProjectFiles(manifestFile, workspaceName, files, findings);
  const resolved = resolveDocuments(read, user, findings);
  const { settings, root, teams, workspace } = resolved;
  const modules = expandModules(resolved.documents, workspace, files, findings);
  const documents = [...resolved.documents, ...modules.documents];
  const unread: Unread = {
    anything:
      modules.unread.anything || documents.some(({ document }) => document.value === undefined),
    instances: modules.unread.instances,
  };
  for (const { kind, document } of documents) if (kind) validateDocument(document, kind, findings);
  cache.save();
  const texts = [...textsOf(read), ...modules.texts];
  const variables = (user ? [...texts, user] : texts).flatMap((document) =>
    variableUses(document, env, findings),
  );

  const declared = collectDeclarations(
    documents.filter(({ kind }) => kind !== "Workspace" && kind !== "Team"),
  );
  const byKind = linkReferences(
    applyWorkspace(declared, workspace, unread, findings),
    teams.flatMap(({ team }) => team ?? []),
    modules.instances,
    unread,
    findings,
  );
  checkDelivery(byKind.route, [root, ...teams], findings);
  checkServerless(settings, byKind, findings);
  const attachments = attachFiles(byKind, files, findings);
  if (options.lookup) await checkPlugins(byKind, options.lookup, findings);

  let topology: Topology | null = null;
  if (findings.errors.length === 0) {
    graphWarnings(byKind, findings);
    inboxWarnings(
      byKind.route.filter(({ enabled }) => enabled),
      findings,
    );
    checkSecrets(settings, findings);
    topology = buildTopology(
      projectSettings(workspaceName, settings, mergeLayers(root.defaults)),
      byKind,
      attachments,
    );
  }
  const project: Gathered = {
    ...nothing,
    topology,
    variables,
    allowPrivate: reach(topology),
    documents: user ? [...texts, user] : texts,
    settings: user ? [...settings, user] : settings,
    modules: modules.instances,
    declarations: Object.values(byKind).flat(),
  };
  return finish(project, findings);
}

/** `network.allow_private`; by default all, null, in a process, and none on `sqs`. */
function reach(topology: Topology | null): readonly string[] | null {
  if (topology === null) return null;
  return topology.network?.allow_private ?? (topology.bus.url === "sqs" ? [] : null);
}

function environment(projectDir: string, processEnv: Environment, findings: Findings): Environment {
  try {
    return readEnvironment(projectDir, processEnv);
  } catch (error) {
    const document = sourceDocument(".env", join(projectDir, ".env"), "", undefined, false);
    const message = `cannot be read: ${messageOf(error)}`;
    findings.errors.push({ document, path: [], at: "value", code: "unreadable", message });
    return processEnv;
  }
}

async function finish(
  { documents, settings, modules, declarations, ...project }: Gathered,
  findings: Findings,
): Promise<LoadedProject> {
  await checkReaders(documents, findings);
  const origins = new Map<string, Origin>();
  for (const { kind, name, layers, scope } of declarations) {
    const key = originKey(kind, name);
    if (origins.has(key)) continue;
    const { document, path } = layers.at(-1) as (typeof layers)[0];
    origins.set(key, {
      file: document.file,
      path,
      layers,
      defaults: scope.defaults,
      team: scope.team?.name ?? null,
      instance: scope.instance?.name ?? null,
    });
  }
  return {
    ...project,
    errors: toProblems(findings.errors),
    warnings: toProblems(findings.warnings),
    instances: moduleInstances(modules, declarations),
    provenance: {
      origins,
      documents: new Map(documents.map((document) => [document.file, document])),
      settings,
    },
  };
}

/** Refuses documents with errors that a second reader reads otherwise: then the error may lie in the difference. */
async function checkReaders(documents: readonly SourceDocument[], findings: Findings) {
  const wrong = new Set(findings.errors.map(({ document }) => document.file));
  for (const document of documents) {
    if (document.value === undefined || !wrong.has(document.file)) continue;
    if (await readersAgree(document.text)) continue;
    const message =
      "YAML readers disagree on what this file says: write its texts in quotes, and plain keys and values";
    findings.errors.push({ document, path: [], at: "value", code: "ambiguous-yaml", message });
  }
}

/** `ORGLOOP_HOME`, or `~/.orgloop`; absolute. */
const homeOf = (env: Environment) =>
  resolve(env.ORGLOOP_HOME || join(env.HOME || homedir(), ".orgloop"));

/** `~/.orgloop/config.yaml`, whose defaults lie below the project's (v1alpha1, section 1). */
function userConfig(
  env: Environment,
  files: ProjectFiles,
  findings: Findings,
): SourceDocument | undefined {
  const file = join(homeOf(env), "config.yaml");
  if (!existsSync(file)) return undefined;
  const document = readDocument(files, file, findings);
  validateUserConfig(document, findings);
  return document;
}
