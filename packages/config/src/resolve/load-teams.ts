import { type DocumentPath, suggestion, valueAt } from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import type { LoadedDocument } from "../read/load-documents.ts";
import type { ProjectFiles } from "../read/project-files.ts";
import { readDocument } from "../read/read-document.ts";
import { varsOf } from "../read/read-vars.ts";
import { groupKind } from "../schema/group-kind.ts";
import type { Findings } from "./findings.ts";
import { type Scope, type Team, teamScope } from "./scope.ts";
import type { Layer, SourceDocument } from "./source-document.ts";
import { substituteVars } from "./substitute-vars.ts";
import { teamFolders } from "./team-folders.ts";

/** A team as it was read, its files not yet filled in. */
export interface LoadedTeam {
  readonly name: string;
  readonly folder: string;
  readonly manifest: SourceDocument | undefined;
  readonly documents: readonly SourceDocument[];
}

/**
 * Reads the files of every team, but for those that the manifest itself lists (`listed`, absolute).
 */
export function readTeams(
  manifest: SourceDocument,
  listed: ReadonlySet<string>,
  files: ProjectFiles,
  findings: Findings,
): LoadedTeam[] {
  return teamFolders(manifest, files, findings).map(
    ({ name, folder, manifest: own, files: all }) => ({
      name,
      folder: files.display(folder),
      manifest: own === undefined ? undefined : readDocument(files, own, findings),
      documents: all
        .filter((file) => !listed.has(file))
        .map((file) => readDocument(files, file, findings)),
    }),
  );
}

const textsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string");

/** The team's scope and its files, `${vars.x}` replaced. */
export function resolveTeam(
  loaded: LoadedTeam,
  root: Scope,
  workspace: SourceDocument | undefined,
  findings: Findings,
): { scope: Scope; documents: LoadedDocument[] } {
  const over = ["teams", loaded.name];
  const overVars = valueAt(workspace?.value, [...over, "vars"]);
  const vars = {
    ...(loaded.manifest && varsOf(loaded.manifest, findings)),
    ...(isMapping(overVars) && overVars),
  };
  const manifest =
    loaded.manifest && substituteVars(loaded.manifest, { ...root.vars, ...vars }, findings);
  const defaults: Layer[] = [
    ...(workspace ? [{ document: workspace, path: [...over, "defaults"] }] : []),
    ...(manifest ? [{ document: manifest, path: ["defaults"] }] : []),
  ];
  const team: Team = {
    name: loaded.name,
    owners: textsOf(valueAt(manifest?.value, ["owners"])),
    exports: new Set(textsOf(valueAt(manifest?.value, ["exports"]))),
    file: manifest?.file ?? `${loaded.folder}/team.yaml`,
    document: manifest,
  };
  const scope = teamScope(root, team, vars, defaults);
  const documents: LoadedDocument[] = loaded.documents.map((document) => ({
    kind: groupKind(document, findings),
    document: substituteVars(document, scope.vars, findings),
    scope,
  }));
  if (manifest) documents.unshift({ kind: "Team", document: manifest, scope });
  return { scope, documents };
}

/** What the workspace changes in teams that do not exist, and team variables that nobody has. */
export function checkTeamOverrides(
  workspace: SourceDocument | undefined,
  teams: readonly LoadedTeam[],
  findings: Findings,
): void {
  const overrides = valueAt(workspace?.value, ["teams"]);
  if (workspace === undefined || !isMapping(overrides)) return;
  const report = (path: DocumentPath, message: string) =>
    findings.errors.push({
      document: workspace,
      path,
      at: "key",
      code: "unknown-override",
      message,
    });
  for (const [name, over] of Object.entries(overrides)) {
    const team = teams.find((one) => one.name === name);
    if (team === undefined) {
      const names = teams.map((one) => one.name);
      report(["teams", name], `there is no team "${name}"${suggestion(name, names, "teams")}`);
      continue;
    }
    const vars = valueAt(team.manifest?.value, ["vars"]);
    const known = isMapping(vars) ? Object.keys(vars) : [];
    const texts = [workspace, ...team.documents].map(({ text }) => text);
    const changed = valueAt(over, ["vars"]);
    for (const variable of Object.keys(isMapping(changed) ? changed : {})) {
      const used = texts.some((text) => text.includes(`$\{vars.${variable}}`));
      if (used || known.includes(variable)) continue;
      const hint = suggestion(variable, known, "variables");
      report(
        ["teams", name, "vars", variable],
        `team "${name}" has no variable "${variable}"${hint}`,
      );
    }
  }
}
