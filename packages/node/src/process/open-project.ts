import { readEnvironment } from "@orgloop/config";
import { type InjectedDraft, knownSecrets } from "@orgloop/engine";
import type { OrgLoopEvent, Topology } from "@orgloop/sdk";
import type { Configuration } from "../apply/configuration.ts";
import type { Generation } from "../apply/generation.ts";
import { learnUnmarked } from "../apply/learn-unmarked.ts";
import { openConfiguration } from "../apply/open-configuration.ts";
import { type PreparedTopology, prepareTopology } from "../apply/prepare-topology.ts";
import { type OpenDelivery, openDelivery } from "../delivery/open-delivery.ts";
import { deadLetterWriter } from "../delivery/write-dead-letter.ts";
import type { HttpServer } from "../http/http-server.ts";
import { type ProjectHttp, projectHttp } from "../http/project-http.ts";
import { type OpenIntake, openIntake } from "../intake/open-intake.ts";
import { type Lifecycle, openLifecycle } from "../plugins/lifecycle.ts";
import type { OnUnhandled } from "../plugins/unhandled-rejections.ts";
import { type EventReplays, eventReplays } from "../replay/event-replays.ts";
import { alerts } from "../telemetry/alerts.ts";
import { readStatus } from "../telemetry/read-status.ts";
import type { ProcessStatus } from "../telemetry/status.ts";
import { drain } from "./drain.ts";
import { type OpenProcess, openProcess } from "./open-process.ts";
import { clockOf, limitsOf, type ProjectLimits, type ProjectOptions } from "./project-options.ts";
import { openPorts, type ProjectPorts } from "./project-ports.ts";
import { statusParts } from "./status-parts.ts";

/**
 * A project of which everything is open; it takes, delivers and polls nothing before it has begun.
 */
export interface OpenProject {
  readonly http: ProjectHttp;
  /** Into its event log. */
  readonly log: OpenProcess["log"];
  /** Logs and counts a rejection that nobody has handled. */
  readonly onUnhandled: OnUnhandled;
  status(): ProcessStatus;
  /** Puts events on the bus; resolves when they are durable. */
  inject(drafts: readonly InjectedDraft[]): Promise<readonly OrgLoopEvent[]>;
  /** Goes on under another configuration, without a restart (`Configuration`). */
  apply: Configuration["apply"];
  /**
   * Makes it the applied state, delivers what was left undelivered, and polls. `server`: where its
   * HTTP is served.
   */
  begin(server: HttpServer): Promise<void>;
  /**
   * Stops intake, ends what is in flight, leaves the rest on the bus, closes everything. Fine to
   * call twice.
   */
  drain(): Promise<void>;
  /** Closes everything where it could not begin. */
  discard(): Promise<void>;
  /**
   * Resolves when all is closed: with what forced it (a failed fsync of the bus), or undefined
   * after a drain.
   */
  readonly closed: Promise<Error | undefined>;
}

/**
 * Opens the data directory, bus, stores and plugins of a project, and puts together what runs it.
 * Rejects, with everything closed again, where any of it cannot be opened.
 */
export async function openProject(options: ProjectOptions): Promise<OpenProject> {
  const { topology, projectDir, env } = options;
  const clock = clockOf(options);
  const known = knownSecrets();
  let earlier: PreparedTopology | undefined;
  const prepare = async (wanted: Topology): Promise<PreparedTopology> => {
    const environment = readEnvironment(projectDir, env);
    earlier = await prepareTopology(wanted, environment, projectDir, earlier?.routes.matcher);
    learnUnmarked(earlier, known);
    return earlier;
  };
  const prepared = await prepare(topology);
  const open = await openProcess({
    ...options,
    onEntry: options.onEntry,
    known,
    topology: prepared.resolved,
    clock,
  });
  const lifecycle = openLifecycle(open.log);
  void open.bus.failed?.then(lifecycle.fail);
  const discard = async (): Promise<void> => {
    lifecycle.stop.abort();
    lifecycle.abandon.abort();
    await open.close();
  };
  try {
    const started = { ...options, prepared, prepare, open, clock, lifecycle };
    const configuration = await openConfiguration(started);
    const { current } = configuration;
    changeLoggers(open.journal, current());
    const { backlogBounds } = limitsOf(options);
    const ports = await openPorts({ open, current, clock, lifecycle, backlogBounds });
    return { ...assemble(options, ports, configuration, lifecycle), discard };
  } catch (error) {
    await discard();
    throw error;
  }
}

/** The parts of a project, in the order in which an event meets them. */
interface Parts {
  readonly intake: OpenIntake;
  readonly replays: EventReplays;
  readonly delivery: OpenDelivery;
}

function openParts(ports: ProjectPorts, { pollConcurrency }: ProjectLimits): Parts {
  const { open, current } = ports;
  const alert = alerts({ log: ports.log, now: ports.clock.now });
  const writeDeadLetter = deadLetterWriter({ ...ports, ...open, mask: open.known.mask, alert });
  const intake = openIntake(ports, writeDeadLetter, pollConcurrency);
  const onAcked = new Set<(event: OrgLoopEvent) => void>();
  const replays = eventReplays({
    ...ports,
    onAcked,
    dir: open.dataDir.events,
    fileSystem: open.dataDir.disk.fileSystem,
    bus: open.bus,
    matcher: () => current().routes.matcher,
  });
  const delivery = openDelivery({ ...ports, ...intake, alert, writeDeadLetter, onAcked });
  return { intake, replays, delivery };
}

/** Of `names` the variables that are not set: `.env` is read anew, as an apply does. */
function unsetOf({ projectDir, env }: ProjectOptions, names: readonly string[]): readonly string[] {
  const environment = readEnvironment(projectDir, env);
  return names.filter((name) => environment[name] === undefined);
}

/**
 * Puts the parts together: what they serve by HTTP, how they begin, go on under another
 * configuration, and end.
 */
function assemble(
  options: ProjectOptions,
  ports: ProjectPorts,
  configuration: Configuration,
  lifecycle: Lifecycle,
): Omit<OpenProject, "discard"> {
  const { open, activity, clock, log, stop } = ports;
  const limits = limitsOf(options);
  const { intake, replays, delivery } = openParts(ports, limits);
  const { parts, serveAt } = statusParts(ports, { intake, delivery, lifecycle });
  configuration.onSwap((from, to, left) => {
    changeLoggers(open.journal, to);
    activity.change(to.topology);
    delivery.change(from, to, left);
    intake.change(from, to);
  });

  async function end(failed: boolean, http: HttpServer): Promise<void> {
    await configuration.settled();
    const graceMs = failed ? 0 : limits.drainMs;
    const { abandon } = lifecycle;
    await drain({ intake, delivery, http, clock, abandon, graceMs });
    await Promise.all([delivery.ended(), replays.ended()]);
    log({ phase: "runtime.stop" });
    await open.close();
  }

  const served = { ports, parts, intake, replays, delivery, configuration, lifecycle };
  return {
    http: projectHttp({ ...limits, ...served, unsetOf: (names) => unsetOf(options, names) }),
    log,
    onUnhandled: unhandledIn(ports),
    status: () => readStatus(parts),
    apply: configuration.apply,
    inject: async (drafts) => (await intake.ingest(drafts, "inject", () => stop)).events,
    async begin(http) {
      serveAt(http.address);
      await configuration.begin();
      await delivery.start();
      intake.start();
      lifecycle.begin((failed) => end(failed, http));
      log({ phase: "runtime.start", metadata: { port: http.address.port, pid: process.pid } });
    },
    drain: lifecycle.end,
    closed: lifecycle.closed,
  };
}

function unhandledIn({ activity, log }: ProjectPorts): OnUnhandled {
  return (error, isLogged) => {
    activity.unhandled();
    if (isLogged) log({ phase: "system.error", error });
  };
}

function changeLoggers(journal: OpenProcess["journal"], { plugins, resolved }: Generation): void {
  const loggers = [...plugins.loggers.values()].map(({ part }) => part);
  journal.change(loggers, resolved.defaults.log_level);
}
