import { isMapping } from "@orgloop/sdk";
import type { Findings } from "../resolve/findings.ts";
import { type LoadedTeam, readTeams } from "../resolve/load-teams.ts";
import type { SourceDocument } from "../resolve/source-document.ts";
import { loadDocuments } from "./load-documents.ts";
import type { ProjectFiles } from "./project-files.ts";
import type { RawDocument } from "./raw-document.ts";
import { readDocument } from "./read-document.ts";
import { readWorkspace } from "./read-workspace.ts";

/** The files of a project, as written. */
export interface ReadProject {
  readonly manifest: SourceDocument;
  /** The group files that the manifest lists, and those of `routes/`. */
  readonly groups: readonly RawDocument[];
  readonly teams: readonly LoadedTeam[];
  /** The file of the workspace; undefined for `default` without one. */
  readonly workspace: SourceDocument | undefined;
}

export function readProjectFiles(
  manifestFile: string,
  workspaceName: string,
  files: ProjectFiles,
  findings: Findings,
): ReadProject {
  const manifest = readDocument(files, manifestFile, findings);
  const workspace = readWorkspace(manifest, workspaceName, files, findings);
  const [, ...groups] = loadDocuments(manifest, files, findings);
  const listed = new Set(groups.map(({ document }) => document.absolute));
  const teams = isMapping(manifest.value) ? readTeams(manifest, listed, files, findings) : [];
  return { manifest, groups, teams, workspace };
}

/** Every document of a project, the manifest first, the workspace last. */
export function textsOf({ manifest, groups, teams, workspace }: ReadProject): SourceDocument[] {
  return [
    manifest,
    ...groups.map(({ document }) => document),
    ...teams.flatMap((team) => [...(team.manifest ? [team.manifest] : []), ...team.documents]),
    ...(workspace ? [workspace] : []),
  ];
}
