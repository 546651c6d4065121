import { hasCode } from "@orgloop/sdk";
import type { CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { hostedProjects } from "../project/hosted-projects.ts";
import { type RegisteredModule, requestOf } from "../project/module-registry.ts";
import { prepareProject } from "../project/prepare-project.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { metricsPort, portInUse } from "./port.ts";
import { removeStaleDrafts } from "./remove-stale-drafts.ts";
import { announceDaemon, withdrawDaemon } from "./running-daemon.ts";
import { type StartReport, startReport } from "./start-report.ts";
import { ensureToken } from "./token.ts";

export interface RunOptions {
  readonly port: number;
  /** Shows the entries of the event log as they come. */
  readonly showEntries: boolean;
  /**
   * Other projects are registered with it, and what the daemon before was told to run is run again.
   */
  readonly daemon: boolean;
  /** Told when everything runs. */
  readonly onReady: (report: StartReport) => void | Promise<void>;
}

/**
 * Runs the project in this process until a signal or `stop` drains it; a second signal ends it at
 * once. Throws what kept it from starting, or what ended it (`FATAL`).
 */
export async function runProject(context: CommandContext, options: RunOptions): Promise<void> {
  const { home, output } = context;
  const signals = drainOnSignals(output.note);
  const { options: project, request } = await prepareProject(context, options);
  const { startDaemon } = await import("@orgloop/node");
  const hosted = await hostedProjects(context, options.daemon);
  await removeStaleDrafts(home);
  const token = await ensureToken(home);
  const scraped = metricsPort(context.env);
  const host = await startDaemon({
    port: options.port,
    ...(scraped !== null && { metricsPort: scraped }),
    token,
    ...hosted.callbacks,
  }).catch(async (error) => {
    const isOurs = hasCode(error, "PORT_IN_USE") && !error.message.includes(`port ${scraped} `);
    throw isOurs ? await portInUse(options.port, error) : error;
  });
  const { port } = host.address;
  hosted.listens(port);
  const { project: name, sources } = project.topology;
  host.expect([
    { name, sources: sources.map(({ id }) => id) },
    ...hosted.listed(name).map((one) => ({ name: one.name, sources: one.sources ?? [] })),
  ]);
  signals.drain(() => {
    hosted.interrupted();
    return host.drain();
  });
  const running = await host.load(project, request).catch(async (error) => {
    await host.drain();
    throw error;
  });
  const { topology, dataDir } = project;
  if (options.daemon) {
    await announceDaemon(home, { pid: process.pid, port });
    const load = async (module: RegisteredModule): Promise<void> => {
      const again = requestOf(module);
      await host.load(await hosted.callbacks.resolve(again), again);
    };
    await hosted.restore(load, topology.project, host.giveUp);
  }
  const heartbeat = options.daemon ? startHeartbeat(home, () => host.modules().length) : null;
  await options.onReady(startReport(topology, running.status(), { port, dataDir }));
  const fatal = await host.closed;
  endSoon();
  await heartbeat?.end();
  await withdrawDaemon(home);
  if (fatal !== undefined) throw new CommandError("FATAL", fatal.message, { cause: fatal });
}

/** What a plug-in has left running keeps a process that has stopped this long at most, in ms. */
const LEFT_RUNNING_MS = 2_000;

function endSoon(): void {
  setTimeout(() => process.exit(), LEFT_RUNNING_MS).unref();
}

/**
 * The first SIGINT or SIGTERM drains, as soon as there is something to drain; the second one ends
 * the process.
 */
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
