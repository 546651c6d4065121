import { valueAt } from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import { checkOverrides, type ExpandedModules } from "../modules/expand-modules.ts";
import type { ProjectFiles } from "../read/project-files.ts";
import { type ReadProject, textsOf } from "../read/read-project-files.ts";
import { readVars } from "../read/read-vars.ts";
import { readWorkspace, workspaceFiles } from "../read/read-workspace.ts";
import type { Unread } from "../read/yaml/unread.ts";
import { applyWorkspace } from "../resolve/apply-workspace.ts";
import type { Declarations } from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";
import { checkTeamOverrides } from "../resolve/load-teams.ts";
import type { SourceDocument } from "../resolve/source-document.ts";
import { substituteVars } from "../resolve/substitute-vars.ts";
import { validateDocument } from "../schema/validate-document.ts";

/** What a load of one workspace knows that the others are checked against. */
export interface LoadedWorkspace {
  readonly workspaceName: string;
  readonly read: ReadProject;
  readonly files: ProjectFiles;
  /** Before any workspace is applied. */
  readonly declared: Declarations;
  readonly modules: ExpandedModules;
  readonly unread: Unread;
}

/**
 * Checks the files of the workspaces that are not loaded: their form, that what they change exists,
 * and that it is valid as they change it. What only a load of them can tell (where references lead,
 * what modules make of other parameters) is left to it.
 */
export function checkOtherWorkspaces(loaded: LoadedWorkspace, findings: Findings): void {
  const { workspaceName, read, files, declared, modules, unread } = loaded;
  const texts = textsOf(read).filter((document) => document !== read.workspace);
  const instances = [...modules.instances.map(({ name }) => name), ...modules.switchedOff];
  for (const { name } of workspaceFiles(files.root)) {
    if (name === workspaceName) continue;
    const document = readWorkspace(read.manifest, name, files, findings);
    if (document?.value === undefined) continue;
    validateDocument(document, "Workspace", findings);
    const vars = readVars(read.manifest, document, [...texts, document], findings);
    const workspace = substituteVars(document, vars, findings);
    checkTeamOverrides(workspace, read.teams, findings);
    const named = setsVars(workspace.value) && [...texts, ...modules.texts].some(namesVary);
    if (!modules.unread.anything && !named) {
      checkOverrides(workspace, instances, unread.instances, findings);
    }
    // An instance with other parameters, or one that is off here, may have other items.
    const changed = valueAt(workspace.value, ["modules"]);
    const unsure = [...modules.switchedOff, ...Object.keys(isMapping(changed) ? changed : {})];
    const open: Unread = {
      anything: unread.anything || named,
      instances: [...unread.instances, ...unsure],
    };
    applyWorkspace(declared, workspace, open, findings);
  }
}

/**
 * Whether a name may be another one under other variables: `${vars.x}`, or a parameter that is
 * given one, stands in it.
 */
const namesVary = ({ text }: SourceDocument): boolean =>
  /(?<![\w.-])["']?(?:id|name)["']?:[^\n,}]*(?:\$\{vars\.|\{\{\s*params\.)/.test(text);

function setsVars(workspace: unknown): boolean {
  const teams = valueAt(workspace, ["teams"]);
  const all = [workspace, ...(isMapping(teams) ? Object.values(teams) : [])];
  return all.some((one) => valueAt(one, ["vars"]) !== undefined);
}
