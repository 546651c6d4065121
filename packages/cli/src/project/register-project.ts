import type { CommandContext } from "../command.ts";
import { CommandError, exitStatusOf } from "../command-error.ts";
import { loadInto, type RunningDaemon } from "../process/running-daemon.ts";
import { ControlError, callProcess } from "../process/running-process.ts";
import { type StartedSources, type StartReport, startReport } from "../process/start-report.ts";
import { prepareProject } from "./prepare-project.ts";

/**
 * Has the daemon that runs take this project too. It is read here first, so that its errors are
 * told as `start` tells them. Throws these, and what the daemon refuses (`MODULE_EXISTS`, variables
 * that are not in its environment); the daemon runs on.
 */
export async function registerProject(
  context: CommandContext,
  daemon: RunningDaemon,
): Promise<StartReport> {
  const { home, output } = context;
  const { options, request } = await prepareProject(context);
  const { topology, dataDir } = options;
  output.note(`A daemon runs (process ${daemon.pid}); the project is registered with it ...`);
  const { name } = await loadInto(home, daemon, request).catch((error) => {
    throw error instanceof ControlError ? refusal(error) : error;
  });
  const { port, pid } = daemon;
  const status = await callProcess<StartedSources>(home, { port, module: name }, "/control/status");
  return { ...startReport(topology, status, { port, dataDir }), pid };
}

function refusal(error: ControlError): CommandError {
  const { reason, said } = error;
  const exitStatus = exitStatusOf(reason);
  return new CommandError(reason ?? "FAILED", said, { cause: error, exitStatus });
}
