import type { LoadedDocument } from "../read/load-documents.ts";
import { type ReadProject, textsOf } from "../read/read-project-files.ts";
import { readVars } from "../read/read-vars.ts";
import type { Findings } from "./findings.ts";
import { checkTeamOverrides, resolveTeam } from "./load-teams.ts";
import { rootScope, type Scope } from "./scope.ts";
import type { SourceDocument } from "./source-document.ts";
import { substituteVars } from "./substitute-vars.ts";

/** The files of a project, `${vars.x}` replaced, each in its scope. */
export interface ResolvedDocuments {
  /** The manifest is the first, the workspace's file the last. Not yet: what modules expand to. */
  readonly documents: readonly LoadedDocument[];
  /** The workspace's file and the manifest: whose settings apply, the strongest first. */
  readonly settings: readonly SourceDocument[];
  readonly workspace: SourceDocument | undefined;
  readonly root: Scope;
  readonly teams: readonly Scope[];
}

/** `user` is `~/.orgloop/config.yaml`, whose defaults lie below the project's. */
export function resolveDocuments(
  read: ReadProject,
  user: SourceDocument | undefined,
  findings: Findings,
): ResolvedDocuments {
  const vars = readVars(read.manifest, read.workspace, textsOf(read), findings);
  const filled = (document: SourceDocument) => substituteVars(document, vars, findings);
  const manifest = filled(read.manifest);
  const workspace = read.workspace && filled(read.workspace);
  const settings = workspace ? [workspace, manifest] : [manifest];
  const root = rootScope(
    vars,
    [...settings, ...(user ? [user] : [])].map((document) => ({ document, path: ["defaults"] })),
  );
  checkTeamOverrides(workspace, read.teams, findings);
  const teams = read.teams.map((team) => resolveTeam(team, root, workspace, findings));
  const documents: LoadedDocument[] = [
    { kind: "Project", document: manifest, scope: root },
    ...read.groups.map(({ kind, document }) => ({ kind, document: filled(document), scope: root })),
    ...teams.flatMap((team) => team.documents),
  ];
  if (workspace) documents.push({ kind: "Workspace", document: workspace, scope: root });
  return { documents, settings, workspace, root, teams: teams.map(({ scope }) => scope) };
}
