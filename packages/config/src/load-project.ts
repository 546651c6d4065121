import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { messageOf, type PluginLookup, type Problem, type Topology } from "@orgloop/sdk";
import { attachFiles } from "./attach-files.ts";
import { buildTopology } from "./build-topology.ts";
import { checkDelivery } from "./check-delivery.ts";
import { checkPlugins } from "./check-plugins.ts";
import { checkReferences } from "./check-references.ts";
import { checkSecrets } from "./check-secrets.ts";
import { collectDeclarations, type Declaration } from "./declarations.ts";
import { isMapping } from "./document-path.ts";
import { mergeDeep } from "./effective-delivery.ts";
import { type Findings, toProblems } from "./findings.ts";
import { graphWarnings } from "./graph-warnings.ts";
import { loadDocuments } from "./load-documents.ts";
import { projectFiles } from "./project-files.ts";
import { readDocument } from "./read-document.ts";
import { type Environment, readEnvironment } from "./read-environment.ts";
import { refuseUnsupported } from "./refuse-unsupported.ts";
import type { DefaultsInput, ProjectInput } from "./schema/project-schema.ts";
import { readersAgree } from "./second-reader.ts";
import { type SourceDocument, sourceDocument } from "./source-document.ts";
import { readVars, substituteVars } from "./substitute-vars.ts";
import { validateDocument, validateUserConfig } from "./validate-document.ts";
import { type Origin, originKey, type Provenance } from "./value-origin.ts";
import { type VariableUse, variableUses } from "./variable-uses.ts";

export interface LoadOptions {
  /** The project's directory, or its manifest. */
  readonly path: string;
  /** Default: `default`. */
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
  /** Where every item stands; `valueOrigin` reads it. */
  readonly provenance: Provenance;
}

/** What `loadProject` gathers before the places of the problems are computed. */
type Gathered = Omit<LoadedProject, "errors" | "warnings" | "provenance"> & {
  readonly documents: readonly SourceDocument[];
  readonly declarations: readonly Declaration[];
};

function findManifest(path: string): { projectDir: string; manifestFile: string } {
  const absolute = resolve(path);
  if (statSync(absolute, { throwIfNoEntry: false })?.isFile()) {
    return { projectDir: dirname(absolute), manifestFile: absolute };
  }
  if (/\.ya?ml$/.test(absolute) && !existsSync(absolute)) {
    return { projectDir: dirname(absolute), manifestFile: absolute };
  }
  const names = ["orgloop.yaml", "orgloop.yml"].map((name) => join(absolute, name));
  const manifestFile = names.find((name) => existsSync(name)) ?? (names[0] as string);
  return { projectDir: absolute, manifestFile };
}

const valuesOf = (value: unknown, key: string): Record<string, unknown> =>
  isMapping(value) && isMapping(value[key]) ? (value[key] as Record<string, unknown>) : {};

/**
 * Reads a project and resolves it to a Topology. Never throws for what stands in the files: every problem of the load is in
 * `errors` and `warnings`, at its place.
 */
export async function loadProject(options: LoadOptions): Promise<LoadedProject> {
  const { projectDir, manifestFile } = findManifest(options.path);
  const findings: Findings = { errors: [], warnings: [] };
  const nothing = { topology: null, projectDir, manifestFile, variables: [], allowPrivate: null };

  if (!existsSync(manifestFile)) {
    const document = sourceDocument(basename(manifestFile), manifestFile, "", undefined, false);
    const message = `there is no ${basename(manifestFile)} in ${projectDir}: run orgloop init, or name the project with --config`;
    findings.errors.push({ document, path: [], at: "value", code: "no-project", message });
    return finish({ ...nothing, documents: [], declarations: [] }, findings);
  }

  const files = projectFiles(projectDir);
  const env = environment(projectDir, options.env, findings);
  const written = readDocument(files, manifestFile, findings);
  const rawDocuments = loadDocuments(written, files, findings);
  const user = userConfig(env, files, findings);

  const vars = readVars(written, findings);
  const texts = rawDocuments.map(({ document }) => document);
  const variables = (user ? [...texts, user] : texts).flatMap((document) =>
    variableUses(document, env, findings),
  );
  const loaded = rawDocuments.map(({ kind, document }) => ({
    kind,
    document: substituteVars(document, vars, findings),
  }));
  const complete = loaded.every(({ document }) => document.value !== undefined);
  for (const { kind, document } of loaded) validateDocument(document, kind, findings);
  const documents = loaded.map(({ document }) => document);
  const manifest = documents[0] as SourceDocument;
  refuseUnsupported(manifest, options.workspace ?? "default", findings);

  const byKind = collectDeclarations(documents);
  const declarations = Object.values(byKind).flat();
  const defaults = mergeDeep(
    valuesOf(user?.value, "defaults"),
    valuesOf(manifest.value, "defaults"),
  ) as DefaultsInput;
  checkReferences(byKind, complete, findings);
  checkDelivery(byKind.route, manifest, defaults, findings);
  const attachments = attachFiles(byKind, files, findings);
  if (options.lookup) await checkPlugins(byKind, options.lookup, findings);

  const project = manifest.value as ProjectInput;
  let topology: Topology | null = null;
  if (findings.errors.length === 0) {
    graphWarnings(byKind, findings);
    checkSecrets(manifest, findings);
    topology = buildTopology(project, defaults, byKind, attachments);
  }
  const allowPrivate = topology ? (project.network?.allow_private ?? null) : null;
  const all = user ? [...documents, user] : documents;
  return finish(
    { ...nothing, topology, variables, allowPrivate, documents: all, declarations },
    findings,
  );
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
  { documents, declarations, ...project }: Gathered,
  findings: Findings,
): Promise<LoadedProject> {
  await checkReaders(documents, findings);
  const origins = new Map<string, Origin>();
  for (const { kind, name, document, path } of declarations) {
    const key = originKey(kind, name);
    if (!origins.has(key)) origins.set(key, { file: document.file, path });
  }
  return {
    ...project,
    errors: toProblems(findings.errors),
    warnings: toProblems(findings.warnings),
    provenance: {
      origins,
      documents: new Map(documents.map((document) => [document.file, document])),
      defaultsFrom: documents
        .filter(({ value }) => isMapping(value) && isMapping(value.defaults))
        .map(({ file }) => file),
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

/** `~/.orgloop/config.yaml`, whose defaults lie below the project's (v1alpha1, section 1). */
function userConfig(
  env: Environment,
  files: ReturnType<typeof projectFiles>,
  findings: Findings,
): SourceDocument | undefined {
  const home = env.ORGLOOP_HOME || join(env.HOME || homedir(), ".orgloop");
  const file = join(resolve(home), "config.yaml");
  if (!existsSync(file)) return undefined;
  const document = readDocument(files, file, findings);
  validateUserConfig(document, findings);
  return document;
}
