import { existsSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import path from "node:path";
import { DEFAULT_WORKSPACE, type LoadedProject, settingOrigin } from "@orgloop/config";
import { withoutUserinfo } from "@orgloop/engine";
import { hasCode, messageOf } from "@orgloop/sdk";
import { onStage, stageOf } from "../aws/stage.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { dataDirectory, projectName } from "../process/data-directory.ts";
import { findProcess } from "../process/running-process.ts";
import { findWorkspace, knownWorkspaces } from "../project/known-workspaces.ts";
import { readProject } from "../project/read-project.ts";
import { counted } from "../terminal/counted.ts";

export interface WorkspaceDeleteOptions {
  readonly yes?: boolean;
  readonly force?: boolean;
}

/**
 * `orgloop workspace delete NAME`: its state and its file. Asks where events would be lost; refuses
 * the selected workspace, `default`, and one that runs.
 */
export const workspaceDelete: Command<WorkspaceDeleteOptions> = async (
  outer,
  [name = ""],
  { yes = false, force = false },
) => {
  const { output, home } = outer;
  const known = knownWorkspaces(outer);
  if (name === DEFAULT_WORKSPACE) {
    throw new CommandError("USAGE", "the workspace default is always there: nothing was deleted");
  }
  const { file, current } = findWorkspace(known, name);
  if (current) {
    const message = `"${name}" is the selected workspace: \`orgloop workspace select\` another one first; nothing was deleted`;
    throw new CommandError("SELECTED", message);
  }
  const context = { ...outer, flags: { ...outer.flags, workspace: name } };
  const project = await readProject(context);
  const { dataDir } = dataDirectory(context, project);
  const shared = isShared(project, file);
  if (!shared) await refuseRunning(home, dataDir, name);

  if (!yes && !force && !(await mayForget(context, project, name))) return 1;
  const lost = shared ? { unsettled: 0, dead_letters: 0, inbox: 0 } : await eventsOf(dataDir);
  if (lost.unsettled !== 0 || lost.dead_letters !== 0 || lost.inbox !== 0) {
    const events =
      lost.unsettled === null
        ? "a damaged event log (`orgloop wal verify` says where)"
        : counted(lost.unsettled, "unsettled event");
    const waiting = lost.inbox === 0 ? "" : `, ${counted(lost.inbox, "event")} in inboxes`;
    const what = `${events} and ${counted(lost.dead_letters, "dead letter")}${waiting}`;
    const agreed = yes || force || (await output.confirm(`Delete "${name}" with ${what}?`));
    if (agreed === null) {
      const message = `"${name}" has ${what}: --force deletes them where nobody can be asked; nothing was deleted`;
      throw new CommandError("NOT_CONFIRMED", message);
    }
    if (!agreed) {
      output.result({ deleted: false, workspace: name, ...lost }, "Nothing was deleted.");
      return 1;
    }
  }

  const { removeDataDir } = await import("@orgloop/node");
  const left = shared ? null : await removeDataDir(dataDir, projectName(project));
  if (left?.length === 0) await removeEmptyParent(context, dataDir);
  if (file !== null) await rm(path.join(known.projectDir, file));
  const state = left === null ? null : dataDir;
  const removed = [...(state ? [`state ${dataDir}`] : []), ...(file ? [`file ${file}`] : [])];
  for (const note of leftBehind(project, { shared, dataDir, left: left ?? [] })) output.warn(note);
  output.result(
    { deleted: true, workspace: name, state, file, ...lost },
    `Deleted workspace "${name}": ${removed.join(", ")}`,
  );
  return 0;
};

/**
 * True where `defaults.data_dir` is not the workspace's own: other workspaces keep their state
 * there as well.
 */
function isShared({ topology, provenance }: LoadedProject, file: string | null): boolean {
  if (topology?.defaults.data_dir === undefined) return false;
  return settingOrigin(provenance, ["defaults", "data_dir"])?.file !== file;
}

/**
 * A stage whose workspace is gone can hardly be removed any more: it is asked before, and where
 * nobody can be asked, or at AWS nobody says whether there is one, it is refused.
 */
async function mayForget(
  context: CommandContext,
  project: LoadedProject,
  name: string,
): Promise<boolean> {
  const { output } = context;
  const stage = stageOf(context, project);
  if (stage === null) return true;
  const deployed = await onStage(
    stage,
    async ({ account, region }) => `${account}, ${region}`,
  ).catch((error) => {
    if (hasCode(error, "NO_STAGE")) return null;
    return error instanceof Error ? error : new Error(String(error));
  });
  if (deployed === null) return true;
  const what =
    deployed instanceof Error
      ? `"${name}" is on AWS, and whether it is deployed is not known (${messageOf(deployed)})`
      : `"${name}" is deployed in ${deployed}`;
  const agreed = await output.confirm(`${what}. Forget it, and leave what is there?`);
  if (agreed === true) return true;
  if (agreed === false) {
    output.result({ deleted: false, workspace: name }, "Nothing was deleted.");
    return false;
  }
  const message = `${what}: \`orgloop remove -w ${name}\` first, or --force to forget it; nothing was deleted`;
  throw new CommandError("NOT_CONFIRMED", message);
}

async function refuseRunning(home: string, dataDir: string, name: string): Promise<void> {
  const found = await findProcess(home, dataDir);
  const { isDataDirLocked } = await import("@orgloop/node");
  if (found === null && !(await isDataDirLocked(dataDir))) return;
  const who = found === null ? "a process" : `process ${found.pid}`;
  const message = `${who} runs in the workspace "${name}": \`orgloop stop -w ${name}\` first; nothing was deleted`;
  throw new CommandError("RUNNING", message);
}

/** What would be lost; null: it cannot be known. */
async function eventsOf(dataDir: string) {
  const { readStoredState } = await import("@orgloop/node");
  const nothing = { topology: null, projectDir: dataDir, dataDir };
  const { deadLetters: dead_letters, inbox } = await readStoredState(nothing);
  return { unsettled: await countUnsettled(path.join(dataDir, "wal")), dead_letters, inbox };
}

async function countUnsettled(dir: string): Promise<number | null> {
  if (!existsSync(dir)) return 0;
  const { walStats } = await import("@orgloop/bus/file");
  try {
    const { unsettled } = await walStats(dir);
    return unsettled;
  } catch (error) {
    if (!hasCode(error, "WAL_CORRUPT")) throw error;
    return null;
  }
}

/** `$ORGLOOP_HOME/workspaces/NAME`, once its `data` is gone. */
async function removeEmptyParent({ home }: CommandContext, dataDir: string): Promise<void> {
  const parent = path.dirname(dataDir);
  if (!parent.startsWith(home + path.sep)) return;
  await rmdir(parent).catch(() => undefined);
}

function leftBehind(
  { topology }: LoadedProject,
  { shared, dataDir, left }: { shared: boolean; dataDir: string; left: readonly string[] },
): string[] {
  const bus = withoutUserinfo(topology?.bus.url ?? "file");
  return [
    ...(shared ? [`${dataDir} was left: other workspaces keep their state there as well`] : []),
    ...(left.length > 0 ? [`${dataDir} was left: ${left.join(", ")} is not OrgLoop's`] : []),
    ...(topology?.bus.url === "sqs"
      ? [
          `a stage that is deployed stays: \`npx sst remove --stage ${topology.workspace}\` takes it down, once its workspace is written again`,
        ]
      : []),
    ...(/^(nats|redis|kafka):/.test(bus) ? [`what is on the bus ${bus} was left there`] : []),
  ];
}
