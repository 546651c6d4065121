import type { LoadedProject } from "@orgloop/config";
import type { ProcessStatus, StoredState } from "@orgloop/node";
import { stageOf } from "../aws/stage.ts";
import type { Command, CommandContext } from "../command.ts";
import type { ExitStatus } from "../command-error.ts";
import type { Check, CheckStatus } from "../doctor/check.ts";
import { checkDisk } from "../doctor/disk.ts";
import { checkLog, checkStores, checkWal } from "../doctor/log-and-wal.ts";
import { checkNode } from "../doctor/node.ts";
import { checkPort } from "../doctor/port.ts";
import { checkProject, checkVariables } from "../doctor/project.ts";
import { checkRepeats } from "../doctor/repeats.ts";
import { checkDeliveries, checkLetters } from "../doctor/running.ts";
import { dataDirectory, projectName } from "../process/data-directory.ts";
import { chosenPort } from "../process/port.ts";
import {
  ControlError,
  callProcess,
  type FoundProcess,
  findProcess,
} from "../process/running-process.ts";
import { readProject } from "../project/read-project.ts";
import { wantedVariables } from "./env.ts";

export interface DoctorOptions {
  readonly port?: string;
}

const EXIT: Readonly<Record<CheckStatus, ExitStatus>> = { ok: 0, degraded: 1, error: 2 };
const MARKS = { ok: ["green", "✓"], degraded: ["yellow", "!"], error: ["red", "✗"] } as const;

/** `orgloop doctor`: exit status 0 ok, 1 degraded, 2 error (v1alpha1, section 9). */
export const doctor: Command<DoctorOptions> = async (context, _args, options) => {
  const project = await readProject(context, { plugins: true });
  const stage = stageOf(context, project);
  const checks =
    stage === null || project.topology === null
      ? await processChecks(context, project, options)
      : [
          checkProject(project),
          checkNode(process.version),
          ...(await stageChecks(stage, project, project.topology)),
        ];
  const status = worst(checks);
  context.output.result(
    { project: projectName(project), status, checks },
    [...checks.map((check) => lineOf(check, context)), `${status}`].join("\n"),
  );
  return EXIT[status];
};

async function stageChecks(
  ...args: Parameters<typeof import("../doctor/stage.ts").checkStage>
): Promise<Check[]> {
  const { checkStage } = await import("../doctor/stage.ts");
  return checkStage(...args);
}

async function processChecks(
  context: CommandContext,
  project: LoadedProject,
  options: DoctorOptions,
): Promise<Check[]> {
  const port = chosenPort(options.port, context.env);
  const { dataDir } = dataDirectory(context, project);
  const found = await findProcess(context.home, dataDir);
  return [
    checkProject(project),
    ...checkVariables(project, await unsetThere(context, project, found)),
    checkNode(process.version),
    ...(await checkDisk(dataDir)),
    await checkPort(found?.port ?? port, found),
    checkProcess(found),
    await checkWal(dataDir),
    await checkStores(dataDir),
    await checkLog(dataDir),
    ...(found?.responsive === true
      ? await runningChecks(context, found)
      : [checkLetters((await storedState(project, dataDir)).deadLetters)]),
  ];
}

async function runningChecks({ home }: CommandContext, found: FoundProcess): Promise<Check[]> {
  const status = await callProcess<ProcessStatus>(home, found, "/control/status");
  return [checkRepeats(status.repeats), ...checkDeliveries(status)];
}

/** Variables that the running process has not; null: none runs, or it is of an earlier version. */
async function unsetThere(
  { home }: CommandContext,
  project: LoadedProject,
  found: FoundProcess | null,
): Promise<readonly string[] | null> {
  if (found?.responsive !== true) return null;
  const names = wantedVariables(project).map(({ name }) => `name=${name}`);
  const query = names.join("&");
  try {
    const path = `/control/variables?${query}`;
    return (await callProcess<{ unset: readonly string[] }>(home, found, path)).unset;
  } catch (error) {
    if (error instanceof ControlError && error.status === 404) return null;
    throw error;
  }
}

async function storedState(
  { topology, projectDir }: LoadedProject,
  dataDir: string,
): Promise<StoredState> {
  const { readStoredState } = await import("@orgloop/node");
  return readStoredState({ topology, projectDir, dataDir });
}

function checkProcess(found: FoundProcess | null): Check {
  const check = { category: "process", name: "running" };
  if (found === null) return { ...check, status: "ok", message: "nothing runs" };
  const { pid, responsive } = found;
  return responsive
    ? { ...check, status: "ok", message: `process ${pid} answers` }
    : {
        ...check,
        status: "error",
        message: `process ${pid} does not answer: see its log, or stop --force`,
      };
}

function worst(checks: readonly Check[]): CheckStatus {
  if (checks.some(({ status }) => status === "error")) return "error";
  return checks.some(({ status }) => status === "degraded") ? "degraded" : "ok";
}

function lineOf({ category, name, status, message }: Check, { output }: CommandContext): string {
  const [color, mark] = MARKS[status];
  return `${output.style(color, mark)} ${category}: ${name} — ${message}`;
}
