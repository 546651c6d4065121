import { readEnvironment, restartedSources } from "@orgloop/config";
import { type InjectedDraft, knownSecrets } from "@orgloop/engine";
import type { OrgLoopEvent, Topology } from "@orgloop/sdk";
import type { Configuration } from "../apply/configuration.ts";
import type { Generation } from "../apply/generation.ts";
import { learnUnmarked } from "../apply/learn-unmarked.ts";
import { openConfiguration } from "../apply/open-configuration.ts";
import { type PreparedTopology, prepareTopology } from "../apply/prepare-topology.ts";
import { busWrites } from "../data/bus-writes.ts";
import { drain } from "../delivery/drain.ts";
import { keptRouteStates } from "../delivery/kept-route-states.ts";
import { startDelivery } from "../delivery/start-delivery.ts";
import type { HttpServer } from "../http/http-server.ts";
import { type ProjectHttp, projectHttp } from "../http/project-http.ts";
import { hasRoom } from "../intake/has-room.ts";
import { ingest } from "../intake/ingest.ts";
import { pollLoop } from "../intake/poll-loop.ts";
import { repeatPolicyOf, repeatsStatus } from "../intake/repeat-windows.ts";
import { repeats } from "../intake/repeats.ts";
import { sourceWaits } from "../intake/source-waits.ts";
import { lifecycle } from "../plugins/lifecycle.ts";
import type { OnUnhandled } from "../plugins/unhandled-rejections.ts";
import { eventReplays } from "../replay/event-replays.ts";
import { recoverUnacked } from "../routing/recover-unacked.ts";
import { countActivity } from "../telemetry/activity.ts";
import { eventHistory } from "../telemetry/event-history.ts";
import { eventRecorder } from "../telemetry/event-recorder.ts";
import { metrics } from "../telemetry/metrics.ts";
import {
  readActors,
  readRoutes,
  readSources,
  readStatus,
  type StatusParts,
} from "../telemetry/read-status.ts";
import type { ProcessStatus } from "../telemetry/status.ts";
import { type OpenProcess, openProcess } from "./open-process.ts";
import { clockOf, PROJECT_DEFAULTS, type ProjectOptions } from "./project-options.ts";

/** A project of which everything is open; it takes, delivers and polls nothing before it has begun. */
export interface OpenProject {
  readonly http: ProjectHttp;
  /** Into its event log. */
  readonly log: OpenProcess["log"];
  /** Logs and counts a rejection that nobody has handled. */
  readonly onUnhandled: OnUnhandled;
  hasSource(id: string): boolean;
  status(): ProcessStatus;
  /** Puts events on the bus; resolves when they are durable. */
  inject(drafts: readonly InjectedDraft[]): Promise<readonly OrgLoopEvent[]>;
  /** Goes on under another configuration, without a restart (`Configuration`). */
  apply: Configuration["apply"];
  /** Makes it the applied state, delivers what was left undelivered, and polls. `server`: where its HTTP is served. */
  begin(server: HttpServer): Promise<void>;
  /** Stops intake, ends what is in flight, leaves the rest on the bus, closes everything. Fine to call twice. */
  drain(): Promise<void>;
  /** Closes everything where it could not begin. */
  discard(): Promise<void>;
  /** Resolves when all is closed: with what forced it (a failed fsync of the bus), or undefined after a drain. */
  readonly closed: Promise<Error | undefined>;
}

/**
 * Opens the data directory, bus, stores and plugins of a project, and puts together what runs it. Rejects, with everything closed again,
 * where any of it cannot be opened.
 */
export async function openProject(options: ProjectOptions): Promise<OpenProject> {
  const { topology, projectDir, env } = options;
  const clock = clockOf(options);
  const known = knownSecrets();
  const prepare = async (wanted: Topology): Promise<PreparedTopology> => {
    const found = await prepareTopology(wanted, readEnvironment(projectDir, env), projectDir);
    learnUnmarked(found, known);
    return found;
  };
  const prepared = await prepare(topology);
  const open = await openProcess({
    ...options,
    known,
    topology: prepared.resolved,
    clock,
    onEntry: options.onEntry,
  });
  const { log, bus, checkpoints } = open;
  const life = lifecycle(log);
  const { stop, abandon, fail } = life;
  void bus.failed?.then(fail);
  const discard = async (): Promise<void> => {
    stop.abort();
    abandon.abort();
    await open.close();
  };
  try {
    const configured = await openConfiguration({
      ...options,
      prepared,
      prepare,
      open,
      clock,
      life,
    });
    const { current } = configured;
    const first = current();
    tellLoggers(open.journal, first);
    const { fileSystem } = open.dataDir.disk;
    const warn = (error: string): void => log({ phase: "system.error", error });
    const { backlog, starts } = await recoverUnacked({
      bus,
      bounds: options.backlogBounds ?? PROJECT_DEFAULTS.backlogBounds,
      startsFile: open.dataDir.starts,
      fileSystem,
      made: open.dataDir.made,
      warn,
      clock,
    });
    open.defer(starts.close);
    const kept = await keptRouteStates({
      store: open.routeStates,
      routes: first.routes.byName,
      clock,
      log,
    });
    const measured = metrics({
      uptimeSeconds: () => (clock.now() - parts.startedMs) / 1_000,
      backlog: () => backlog.size,
      sources: () => readSources(parts),
      actors: () => readActors(parts),
      routes: () => readRoutes(parts),
      deadLetters: () => open.deadLetters.size ?? activity.deadLetters,
      connectorOf: (kind, id) => current().plugins[`${kind}s`].get(id)?.package,
    });
    const activity = countActivity(topology, measured.listener);
    const history = eventHistory();
    const writes = busWrites({
      now: clock.now,
      waiting: () => bus.refusal?.() ?? null,
      hasRoom: () => hasRoom(open.dataDir.dir, fileSystem),
    });
    const shared = { clock, activity, log };
    const recorder = eventRecorder({
      dir: open.dataDir.events,
      fileSystem,
      retentionMs: () => current().retentionMs,
      clock,
      warn,
    });
    open.defer(recorder.close);
    const replays = eventReplays({
      ...shared,
      dir: open.dataDir.events,
      fileSystem,
      recorder,
      bus,
      backlog,
      matcher: () => current().routes.matcher,
      stop: stop.signal,
    });
    const repeated = repeats({
      ...shared,
      memory: open.repeats,
      policyOf: (source) => repeatPolicyOf(current().repeatPolicies, source),
      longestMs: () => current().longestRepeatMs,
    });
    const delivery = startDelivery({
      ...shared,
      repeats: repeated,
      current,
      open,
      backlog,
      writes,
      history,
      recorder,
      kept,
      starts,
      onAcked: replays.acked,
      abandon: abandon.signal,
      stop: stop.signal,
      onFatal: fail,
    });
    const take = ingest({
      ...shared,
      repeats: repeated,
      bus,
      writes,
      backlog,
      project: topology.project,
      onFatal: fail,
    });
    const pollers = pollLoop({
      ...shared,
      sources: first.polled,
      concurrency: options.pollConcurrency ?? PROJECT_DEFAULTS.pollConcurrency,
      checkpoints,
      ingest: take,
      waits: sourceWaits(starts),
      stop: stop.signal,
    });
    configured.onSwap((from, to, left) => {
      tellLoggers(open.journal, to);
      activity.change(to.topology);
      delivery.deliverers.change(from, to, left);
      pollers.change(to.polled, restartedSources(from.topology, to.topology));
    });
    let server: HttpServer | undefined;
    const parts: StatusParts = {
      topology: () => current().topology,
      activity,
      deliverers: delivery.deliverers.all,
      polls: pollers.states,
      backlog,
      deadLetters: open.deadLetters,
      repeats: () => repeatsStatus(open.repeats.table, current().longestRepeatMs, clock.now()),
      now: clock.now,
      startedMs: clock.now(),
      port: () => server?.address.port ?? 0,
      state: life.state,
      notReady: () => life.notReady() ?? writes.refusal(),
    };
    const status = (): ProcessStatus => readStatus(parts);
    return {
      http: projectHttp({
        ...shared,
        current,
        ingest: take,
        mask: known.mask,
        bodyLimit: options.bodyLimit ?? PROJECT_DEFAULTS.bodyLimit,
        roomWaitMs: options.roomWaitMs ?? PROJECT_DEFAULTS.roomWaitMs,
        stop: stop.signal,
        history,
        metrics: measured,
        parts,
        replays,
        letterReplays: delivery.letterReplays,
        inbox: delivery.inbox,
        configuration: configured,
        deadLetters: open.deadLetters,
        shutdown: () => void life.end(),
        notReady: parts.notReady,
        look: writes.look,
      }),
      log,
      onUnhandled(error, isLogged) {
        activity.unhandled();
        if (isLogged) log({ phase: "system.error", error });
      },
      hasSource: (id) => current().plugins.sources.has(id),
      status,
      apply: configured.apply,
      inject: async (drafts) => (await take(drafts, "inject", () => stop.signal)).events,
      async begin(http) {
        server = http;
        await configured.begin();
        await delivery.inbox.start();
        const subscription = delivery.subscribe();
        pollers.start();
        life.begin(async (failed) => {
          await configured.settled();
          const graceMs = failed ? 0 : (options.drainMs ?? PROJECT_DEFAULTS.drainMs);
          const deliverers = delivery.deliverers.all.values();
          const { settlement } = delivery;
          await drain({
            deliverers,
            settlement,
            subscription,
            polls: pollers,
            http,
            clock,
            abandon,
            graceMs,
          });
          for (const deliverer of delivery.deliverers.all.values()) deliverer.keep();
          await kept.flushed();
          const { letterReplays, inbox } = delivery;
          await Promise.all([letterReplays.ended(), replays.ended(), inbox.ended()]);
          await delivery.faultsBuried();
          log({ phase: "runtime.stop" });
          await open.close();
        });
        log({ phase: "runtime.start", metadata: { port: http.address.port, pid: process.pid } });
      },
      drain: life.end,
      discard,
      closed: life.closed,
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

function tellLoggers(journal: OpenProcess["journal"], { plugins, resolved }: Generation): void {
  const loggers = [...plugins.loggers.values()].map(({ part }) => part);
  journal.change(loggers, resolved.defaults.log_level);
}
