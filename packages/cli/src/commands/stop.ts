import { setTimeout as wait } from "node:timers/promises";
import { hasCode } from "@orgloop/sdk";
import { refuseOnStage } from "../aws/stage.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { locateData } from "../process/data-directory.ts";
import { findDaemon, modulesOf } from "../process/running-daemon.ts";
import {
  callProcess,
  type FoundProcess,
  findProcess,
  isAlive,
  readRecord,
} from "../process/running-process.ts";
import { endSupervision } from "../process/supervise.ts";

export interface StopOptions {
  readonly force?: boolean;
  readonly all?: boolean;
}

/**
 * A drain gives attempts in flight 8 s (`docs/commands.md`); `--force` ends what has not ended
 * after 10 s.
 */
const FORCE_AFTER_MS = 10_000;
const PATIENCE_MS = 30_000;
const LOOK_MS = 50;

/**
 * `orgloop stop`: drains the project; where it is the only one of its process, waits until that has
 * ended. `--all` ends the daemon with every project that it runs. Nothing running is no failure.
 */
export const stop: Command<StopOptions> = async (
  context,
  _args,
  { force = false, all = false },
) => {
  const { output, home } = context;
  const found = all ? await findAll(context) : await findProject(context);
  if (found === null) {
    // It has crashed, and would be back in a moment.
    const crashed = all ? null : await lastPid(context);
    if (crashed !== undefined && (await endSupervision(home, crashed))) {
      output.result({ stopped: true, running: false, pid: crashed }, "Stopped the supervisor.");
      return 0;
    }
    output.result({ stopped: false, running: false, pid: null }, "Nothing is running.");
    return 0;
  }
  const { pid } = found;
  if (found.module !== undefined && found.responsive) {
    const { modules } = await modulesOf(home, found);
    if (modules.length > 1) return unload(context, found, found.module);
  }
  output.note(`Draining process ${pid} ...`);
  await askToStop(context, found);
  const forced = !(await ended(pid, force ? FORCE_AFTER_MS : PATIENCE_MS));
  if (forced) {
    if (!force) {
      const message = `process ${pid} still runs after ${PATIENCE_MS / 1000} s: look at its log, or use stop --force`;
      throw new CommandError("STILL_RUNNING", message);
    }
    await endSupervision(home, pid);
    kill(pid, "SIGKILL");
    await ended(pid, PATIENCE_MS);
  }
  output.result(
    { stopped: true, running: false, pid, forced },
    forced ? `Killed process ${pid}; what was in flight comes again.` : `Stopped process ${pid}.`,
  );
  return 0;
};

/** `orgloop shutdown` (v1alpha1, section 9): `stop --all`. */
export const shutdown: Command<Pick<StopOptions, "force">> = (context, args, options) =>
  stop(context, args, { ...options, all: true });

async function findProject(context: CommandContext): Promise<FoundProcess | null> {
  const { dataDir, project } = await locateData(context);
  refuseOnStage(
    context,
    project,
    "`sst remove --stage STAGE` takes it down, and its sources are switched off with `enabled: false`; nothing was stopped",
  );
  return findProcess(context.home, dataDir);
}

/** The process that ran the project last, where it could not say that it ends. */
async function lastPid(context: CommandContext): Promise<number | undefined> {
  const { dataDir } = await locateData(context);
  return (await readRecord(dataDir))?.pid;
}

/**
 * The daemon; where none runs, the process of the project. Without its module: all of them are
 * meant.
 */
async function findAll(context: CommandContext): Promise<FoundProcess | null> {
  const daemon = await findDaemon(context.home);
  if (daemon !== null) return { ...daemon, projectDir: "", workspace: "", responsive: true };
  const found = await findProject(context).catch((error) => {
    // Whatever runs is meant: that takes no project in the working directory.
    if (!context.flags.configGiven && hasCode(error, "CONFIG_INVALID")) return null;
    throw error;
  });
  if (found === null) return null;
  const { module: _, ...process } = found;
  return process;
}

async function unload(
  { home, output }: CommandContext,
  { pid, port }: FoundProcess,
  module: string,
): Promise<0> {
  output.note(`Draining the project "${module}" of process ${pid} ...`);
  await callProcess(home, { port }, "/control/module/unload", { json: { name: module } });
  output.result(
    { stopped: true, running: false, pid, module, process_runs: true },
    `Stopped the project "${module}"; process ${pid} runs on with the others (\`orgloop stop --all\` ends it).`,
  );
  return 0;
}

async function askToStop({ home }: CommandContext, found: FoundProcess): Promise<void> {
  if (found.responsive) {
    try {
      await callProcess(home, { port: found.port }, "/control/shutdown", { json: {} });
      return;
    } catch {
      // It may have gone between the two calls; the signal asks for the same.
    }
  }
  kill(found.pid, "SIGTERM");
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, "ESRCH")) throw error;
  }
}

async function ended(pid: number, withinMs: number): Promise<boolean> {
  const untilMs = performance.now() + withinMs;
  while (isAlive(pid)) {
    if (performance.now() > untilMs) return false;
    await wait(LOOK_MS);
  }
  return true;
}
