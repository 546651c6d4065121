import { readEnvironment } from "@orgloop/config";
import { hasCode } from "@orgloop/sdk";
import { refuseOnStage } from "./aws/stage.ts";
import type { CommandContext } from "./command.ts";
import { CommandError } from "./command-error.ts";
import { dataDirectory } from "./data-directory.ts";
import { logLine } from "./log-line.ts";
import { requireVariables } from "./missing-variables.ts";
import { portInUse } from "./port.ts";
import { problemLine, readValidProject } from "./read-project.ts";
import { announce, findProcess, type ProcessRecord, withdraw } from "./running-process.ts";
import { type StartReport, startReport } from "./start-report.ts";
import { ensureToken } from "./token.ts";

const CONSOLE_LOGGER = "@orgloop/logger-console";

export interface RunOptions {
  readonly port: number;
  /** Shows the entries of the event log as they come. */
  readonly showEntries: boolean;
  /** Told when everything runs. */
  readonly onReady: (report: StartReport) => void | Promise<void>;
}

/**
 * Runs the project in this process until a signal or `stop` drains it; a second signal ends it at once. Throws what kept it from
 * starting, or what ended it (`FATAL`).
 */
export async function runProject(context: CommandContext, options: RunOptions): Promise<void> {
  const { home, env, flags, output } = context;
  const signals = drainOnSignals(output.note);
  const project = await readValidProject(context, { plugins: true });
  refuseOnStage(
    context,
    project,
    "`sst deploy --stage STAGE` starts it; to run it here, give it another bus",
  );
  for (const warning of project.warnings) {
    if (warning.code !== "missing-variable") output.warn(problemLine(warning));
  }
  const { topology, projectDir } = project;
  const environment = readEnvironment(projectDir, env);
  requireVariables(topology, project, environment);
  const { dataDir, displacedBy } = dataDirectory(context, project);
  if (displacedBy !== null) {
    output.note(`The project "${displacedBy}" has the usual place; state goes to ${dataDir}`);
  }
  await refuseSecond(context, dataDir);

  const { pluginLookup, startProcess } = await import("@orgloop/runtime");
  const own = topology.loggers.some(({ type }) => type === CONSOLE_LOGGER);
  const running = await startProcess({
    topology,
    projectDir,
    dataDir,
    env,
    port: options.port,
    token: await ensureToken(home),
    lookup: pluginLookup({ projectDir }),
    ...(options.showEntries &&
      !own && { onEntry: (entry) => output.note(logLine(entry, output.noteStyle)) }),
  }).catch(async (error) => {
    throw hasCode(error, "PORT_IN_USE") ? await portInUse(options.port, error) : error;
  });

  const { port } = running.address;
  const { workspace } = flags;
  const record: ProcessRecord = { pid: process.pid, port, projectDir, workspace };
  await announce(home, dataDir, record);
  signals.drain(() => running.drain());
  await options.onReady(startReport(topology, await running.status(), { port, dataDir }));
  const fatal = await running.closed;
  await withdraw(home, dataDir, record);
  if (fatal !== undefined) throw new CommandError("FATAL", fatal.message, { cause: fatal });
}

async function refuseSecond({ home }: CommandContext, dataDir: string): Promise<void> {
  const found = await findProcess(home, dataDir);
  if (found === null) return;
  const { pid, port, projectDir } = found;
  const message = `already running: process ${pid} (${projectDir}, port ${port}) works on ${dataDir}; \`orgloop stop\` ends it`;
  throw new CommandError("ALREADY_RUNNING", message);
}

/** The first SIGINT or SIGTERM drains, as soon as there is something to drain; the second one ends the process. */
function drainOnSignals(note: (text: string) => void) {
  const first = Promise.withResolvers<void>();
  let signalled = false;
  const onSignal = () => {
    if (signalled) process.exit(1);
    signalled = true;
    note("Draining; a second signal stops at once ...");
    first.resolve();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    drain(run: () => Promise<void>): void {
      void first.promise.then(run);
    },
  };
}
