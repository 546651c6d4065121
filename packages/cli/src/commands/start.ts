import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { runAsDaemon, startDaemon } from "../process/daemon.ts";
import { chosenPort } from "../process/port.ts";
import { runProject } from "../process/run-project.ts";
import { findDaemon } from "../process/running-daemon.ts";
import { startLines } from "../process/start-report.ts";
import { registerProject } from "../project/register-project.ts";

export interface StartOptions {
  readonly daemon?: boolean;
  readonly port?: string;
  /** With `daemon`: it is run again where it crashes. */
  readonly supervised?: boolean;
}

/**
 * `orgloop start`: in the foreground until it is drained, or in the background; where a daemon runs
 * already it takes this project too, unless `--port` asks for another process.
 */
export const start: Command<StartOptions> = async (
  context,
  _args,
  { daemon = false, supervised = false, port: flag },
) => {
  const { output, env, flags } = context;
  const port = chosenPort(flag, env);
  if (supervised && !daemon) {
    throw new CommandError(
      "USAGE",
      "--supervised goes with --daemon: a service's supervisor has its own",
    );
  }
  const isSupervisor = env.ORGLOOP_SUPERVISOR === "1";
  delete env.ORGLOOP_SUPERVISOR;
  if (isSupervisor && process.send !== undefined) {
    const { supervise } = await import("../process/supervise.ts");
    return supervise(context);
  }
  const isDaemon = env.ORGLOOP_DAEMON === "1";
  // Not for what it starts in turn: commands, and what these start.
  delete env.ORGLOOP_DAEMON;
  if (isDaemon && process.send !== undefined) {
    await runAsDaemon(context, port);
    return 0;
  }
  if (isDaemon) {
    // A service's: its supervisor is the parent.
    await runProject(context, {
      port,
      daemon: true,
      showEntries: false,
      onReady: (report) => output.result(report, startLines(report, output)),
    });
    return 0;
  }
  const other = await findDaemon(context.home);
  if (other !== null && (flag === undefined || port === other.port)) {
    const report = await registerProject(context, other);
    output.result(report, flags.quiet ? "" : startLines(report, output));
  } else if (daemon) {
    const report = await startDaemon(context, port, supervised);
    output.result(report, flags.quiet ? "" : startLines(report, output));
  } else {
    await runProject(context, {
      port,
      daemon: false,
      showEntries: !flags.quiet,
      onReady: (report) => output.result(report, flags.quiet ? "" : startLines(report, output)),
    });
  }
  return 0;
};
