import type { PluginLookup, Problem, Topology } from "@orgloop/sdk";
import { checkDelivery } from "../check/check-delivery.ts";
import { checkEnvironments } from "../check/check-environments.ts";
import { checkOtherWorkspaces } from "../check/check-other-workspaces.ts";
import { checkPlugins, type FoundParts } from "../check/check-plugins.ts";
import { checkSecrets } from "../check/check-secrets.ts";
import { checkServerless } from "../check/check-serverless.ts";
import { checkTemplates } from "../check/check-templates.ts";
import { graphWarnings } from "../check/graph-warnings.ts";
import { groupWarnings } from "../check/group-warnings.ts";
import { inboxWarnings } from "../check/inbox-warnings.ts";
import { warnOfNeverMatching } from "../check/never-matching.ts";
import { orderingWarnings } from "../check/ordering-warnings.ts";
import { outageWarnings } from "../check/outage-warnings.ts";
import { expandModules } from "../modules/expand-modules.ts";
import { type ModuleInstance, moduleInstances } from "../modules/module-instances.ts";
import { originsOf, type Provenance } from "../plan/value-origin.ts";
import type { LoadedDocument } from "../read/load-documents.ts";
import type { ProjectFiles } from "../read/project-files.ts";
import type { Environment } from "../read/read-environment.ts";
import { type ReadProject, textsOf } from "../read/read-project-files.ts";
import { validateDocument } from "../schema/validate-document.ts";
import { applyWorkspace } from "./apply-workspace.ts";
import { attachFiles } from "./attach-files.ts";
import { buildTopology } from "./build-topology.ts";
import {
  collectDeclarations,
  type Declarations,
  type LinkedDeclarations,
  type LinkedRoute,
} from "./declarations.ts";
import { type Findings, toProblems } from "./findings.ts";
import { linkReferences } from "./link-references.ts";
import { projectSettings } from "./project-settings.ts";
import { resolveDocuments } from "./resolve-documents.ts";
import type { Instance, Scope } from "./scope.ts";
import type { SourceDocument } from "./source-document.ts";
import { type TopologyRoute, topologyRoutes } from "./topology-routes.ts";
import { checkVariables, type VariableUse, variableUses } from "./variable-uses.ts";

/** A project as far as it could be loaded. */
export interface LoadedProject {
  /** Null where there are errors. */
  readonly topology: Topology | null;
  /**
   * Its routes, each with a spec that is made when it is asked for; to be read where there is a
   * Topology.
   */
  readonly routes: readonly TopologyRoute[];
  /** Absolute. */
  readonly projectDir: string;
  /** Absolute. */
  readonly manifestFile: string;
  /** Sorted by file and place. */
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** Every `${NAME}` of every file, in the order of the files. Looked for when it is asked for. */
  readonly variables: readonly VariableUse[];
  /** `network.allow_private`; null: all, in a process (`docs/configuration.md`, Reach). */
  readonly allowPrivate: readonly string[] | null;
  /** Every use of a module that is expanded, those around others first. */
  readonly instances: readonly ModuleInstance[];
  /** Where every item stands; `valueOrigin` reads it. */
  readonly provenance: Provenance;
}

/** What a load gathers before the places of the problems are computed. */
type GatheredProject = Omit<
  LoadedProject,
  "errors" | "warnings" | "variables" | "instances" | "provenance"
> & {
  readonly env: Environment;
  readonly documents: readonly SourceDocument[];
  readonly settings: readonly SourceDocument[];
  readonly modules: readonly Instance[];
  readonly declarations: Partial<Declarations>;
};

/** The files of a project, and what else decides what they mean. */
export interface ProjectInput {
  /** Absolute. */
  readonly projectDir: string;
  /** Absolute. */
  readonly manifestFile: string;
  readonly workspaceName: string;
  readonly read: ReadProject;
  /** `~/.orgloop/config.yaml`; undefined where there is none. */
  readonly user: SourceDocument | undefined;
  readonly files: ProjectFiles;
  readonly env: Environment;
  /** Without the project's `.env`; default: the same. */
  readonly processEnv?: Environment;
  readonly lookup: PluginLookup | undefined;
  /** Checks the files of the other workspaces as well. */
  readonly everyWorkspace?: boolean | undefined;
  /** A document whose items stand in for real ones: their `config` is not checked. */
  readonly standIns?: SourceDocument;
}

/** Resolves what was read to a Topology. Never throws for what stands in the files. */
export async function resolveProject(
  input: ProjectInput,
  findings: Findings,
): Promise<LoadedProject> {
  const { projectDir, manifestFile, workspaceName, read, user, files, env } = input;
  const resolved = resolveDocuments(read, user, findings);
  const { settings, root, teams, workspace } = resolved;
  const modules = expandModules(resolved.documents.filter(uses), workspace, files, findings);
  const documents = [...resolved.documents, ...modules.documents];
  const anything = modules.unread.anything || isUnread(documents, findings);
  const unread = { ...modules.unread, anything };
  for (const { kind, document } of documents) if (kind) validateDocument(document, kind, findings);
  const written = [...textsOf(read), ...modules.texts, ...(user ? [user] : [])];
  for (const document of written) checkVariables(document, env, findings);
  const declared = collectDeclarations(documents.filter(declares));
  if (input.everyWorkspace) {
    const loaded = { workspaceName, read, files, declared, modules, unread };
    checkOtherWorkspaces(loaded, findings);
  }
  const byKind = linkReferences(
    applyWorkspace(declared, workspace, unread, findings),
    teams.flatMap(({ team }) => team ?? []),
    modules.instances,
    unread,
    findings,
  );
  checkDelivery(byKind.route, [root, ...teams], findings);
  checkServerless(settings, byKind, findings);
  const attachments = await attachFiles(byKind, files, findings);
  const on = byKind.route.filter(({ enabled }) => enabled);
  checkTemplates(on, byKind, findings);
  const { marked, emits, keyed } = await checkedPlugins(byKind, input, findings);
  const routes = topologyRoutes(byKind.route, attachments.prompts);
  let topology: Topology | null = null;
  if (findings.errors.length === 0) {
    graphWarnings(byKind, findings);
    warnOfNeverMatching({ routes: on, specs: routes, emitted: emits }, findings);
    groupWarnings(byKind.source, { settings, routes: on, specs: routes, keyed }, findings);
    deliveryWarnings(on, byKind, [root, ...teams], findings);
    checkSecrets(settings, root, { ...byKind, marked }, findings);
    topology = buildTopology(projectSettings(workspaceName, settings, root), byKind, routes, {
      ...attachments,
      marked,
    });
  }
  const project: GatheredProject = {
    projectDir,
    manifestFile,
    topology,
    routes,
    env,
    allowPrivate: reach(topology),
    documents: written,
    settings: user ? [...settings, user] : settings,
    modules: modules.instances,
    declarations: byKind,
  };
  return finishLoad(project, findings);
}

function deliveryWarnings(
  routes: readonly LinkedRoute[],
  byKind: LinkedDeclarations,
  scopes: readonly Scope[],
  findings: Findings,
): void {
  inboxWarnings(routes, findings);
  outageWarnings(routes, scopes, findings);
  orderingWarnings(routes, byKind, findings);
}

/** Whether a file could not be read, or is not there: what is missing may be declared in it. */
function isUnread(documents: readonly LoadedDocument[], { errors }: Findings): boolean {
  return (
    documents.some(({ document }) => document.value === undefined) ||
    errors.some(({ code }) => code === "file")
  );
}

/** Checks what plug-ins are given, where they can be looked up; what they say of the items. */
async function checkedPlugins(
  byKind: LinkedDeclarations,
  { projectDir, lookup, env, processEnv = env, standIns }: ProjectInput,
  findings: Findings,
): Promise<Pick<FoundParts, "marked" | "emits" | "keyed">> {
  if (lookup === undefined) return { marked: new Map(), emits: new Map(), keyed: new Set() };
  const found = await checkPlugins(byKind, lookup, env, findings, projectDir, standIns?.file);
  checkEnvironments(byKind, found.variables, { env, processEnv }, findings);
  return found;
}

const uses = ({ kind }: LoadedDocument) => kind === "Project" || kind === "Team";

const declares = ({ kind }: LoadedDocument) => kind !== "Workspace" && kind !== "Team";

/** `network.allow_private`; by default all, null, in a process, and none on `sqs`. */
function reach(topology: Topology | null): readonly string[] | null {
  if (topology === null) return null;
  return topology.network?.allow_private ?? (topology.bus.url === "sqs" ? [] : null);
}

/** Variables of a stage are its secrets: what is set on this machine says nothing of them. */
const isElsewhere = (code: string, { topology }: Pick<GatheredProject, "topology">): boolean =>
  code === "missing-variable" && topology?.bus.url === "sqs";

/** Computes the places of what was found. */
export function finishLoad(
  { documents, settings, modules, declarations, env, ...project }: GatheredProject,
  findings: Findings,
): LoadedProject {
  return {
    ...project,
    topology: findings.errors.length === 0 ? project.topology : null,
    errors: toProblems(findings.errors),
    warnings: toProblems(findings.warnings.filter(({ code }) => !isElsewhere(code, project))),
    get variables() {
      return documents.flatMap((document) => variableUses(document, env));
    },
    instances: moduleInstances(modules, declarations),
    provenance: {
      ...originsOf(declarations),
      documents: new Map(documents.map((document) => [document.file, document])),
      settings,
    },
  };
}
