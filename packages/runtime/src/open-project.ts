import { type Environment, readEnvironment, restartedSources } from "@orgloop/config";
import type { InjectedDraft } from "@orgloop/core";
import { offBus } from "@orgloop/core";
import type { LogEntry, OrgLoopEvent, PluginLookup, Topology } from "@orgloop/sdk";
import { readAppliedState } from "@orgloop/stores";
import { countActivity } from "./activity.ts";
import { attemptStarts } from "./attempt-starts.ts";
import { type BacklogBounds, backlog as eventBacklog } from "./backlog.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Configuration, configuration } from "./configuration.ts";
import { drain } from "./drain.ts";
import { eventHistory } from "./event-history.ts";
import { eventRecorder } from "./event-recorder.ts";
import { eventReplays } from "./event-replays.ts";
import type { Generation } from "./generation.ts";
import type { HttpServer } from "./http-server.ts";
import { ingest } from "./ingest.ts";
import { keptRouteStates } from "./kept-route-states.ts";
import { lifecycle } from "./lifecycle.ts";
import { metrics } from "./metrics.ts";
import type { openBus } from "./open-bus.ts";
import { type OpenGenerationOptions, openGeneration } from "./open-generation.ts";
import { type OpenProcess, openProcess } from "./open-process.ts";
import { pollLoop } from "./poll-loop.ts";
import { type PreparedTopology, prepareTopology } from "./prepare-topology.ts";
import { type ProjectHttp, projectHttp } from "./project-http.ts";
import {
  readActors,
  readRoutes,
  readSources,
  readStatus,
  type StatusParts,
} from "./read-status.ts";
import { startDelivery } from "./start-delivery.ts";
import type { ProcessStatus } from "./status.ts";

const DEFAULT_BOUNDS: BacklogBounds = { perSource: 10_000, total: 100_000 };
/** GitHub's own limit for what it sends. */
const DEFAULT_BODY_LIMIT = 25 * 1024 ** 2;
const DEFAULT_ROOM_WAIT_MS = 5_000;
const DEFAULT_DRAIN_MS = 8_000;

export interface ProjectOptions extends Partial<Clock> {
  readonly topology: Topology;
  /** Absolute. */
  readonly projectDir: string;
  /** Absolute; made where missing. */
  readonly dataDir: string;
  /** What `${NAME}` stands for; the project's `.env` is read below it, at the start and at every apply. */
  readonly env: Environment;
  readonly lookup: PluginLookup;
  /** For the terminal: entries that `defaults.log_level` lets through. */
  readonly onEntry?: (entry: LogEntry) => void;
  /** Most polls at a time; default 16. */
  readonly pollConcurrency?: number;
  /** Bytes of one webhook's body; default 25 MB, GitHub's own limit. */
  readonly bodyLimit?: number;
  /** Events that may be on the bus undelivered, of one source and in all, before intake waits; defaults 10,000 and 100,000. */
  readonly backlogBounds?: BacklogBounds;
  /** How long a webhook waits there before it gets 503; default 5 s. */
  readonly roomWaitMs?: number;
  /** How long a drain waits for attempts in flight; default 8 s. */
  readonly drainMs?: number;
  /** Opens the bus; default: what the topology names. */
  readonly openBus?: typeof openBus;
}

/** A project of which everything is open; it takes, delivers and polls nothing before it has begun. */
export interface OpenProject {
  readonly http: ProjectHttp;
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
  const { topology, projectDir, env, lookup } = options;
  const clock = clockOf(options);
  const prepare = (wanted: Topology): PreparedTopology =>
    prepareTopology(wanted, readEnvironment(projectDir, env), projectDir);
  const prepared = prepare(topology);
  const open = await openProcess({
    ...options,
    topology: prepared.resolved,
    now: clock.now,
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
    const before = await readAppliedState(options.dataDir);
    const opening: OpenGenerationOptions = {
      projectDir,
      lookup,
      claims: open.claims,
      open: open.plugins,
      clock,
      log,
      abandon: abandon.signal,
    };
    const first = await openGeneration(prepared, null, opening);
    const configured = configuration({
      first,
      dataDir: options.dataDir,
      before,
      prepare,
      open: (next, from) => openGeneration(next, from, opening),
      checkpoints,
      clock,
      log,
      stop: stop.signal,
    });
    const { current } = configured;
    tellLoggers(open.journal, first);
    const backlog = eventBacklog(options.backlogBounds ?? DEFAULT_BOUNDS);
    const unacked = await bus.unacked();
    for (const event of unacked) backlog.enter(event);
    const mayReturn = new Set(unacked.map(offBus).map(({ event }) => replayKey(event)));
    const starts = await attemptStarts(open.dataDir.starts, clock, (id, replay) =>
      mayReturn.has(replayKey({ id, replay })),
    );
    const kept = await keptRouteStates({
      store: open.routeStates,
      routes: first.routes.byName.keys(),
      now: clock.now,
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
    const shared = { clock, activity, log };
    const recorder = eventRecorder({
      dir: open.dataDir.events,
      retentionMs: () => current().retentionMs,
      now: clock.now,
      warn: (error) => log({ phase: "system.error", error }),
    });
    const replays = eventReplays({
      ...shared,
      dir: open.dataDir.events,
      recorder,
      bus,
      backlog,
      matcher: () => current().routes.matcher,
      stop: stop.signal,
    });
    const delivery = startDelivery({
      ...shared,
      current,
      open,
      backlog,
      history,
      recorder,
      kept,
      starts,
      onAcked: replays.acked,
      abandon: abandon.signal,
      stop: stop.signal,
      onFatal: fail,
    });
    const take = ingest({ ...shared, bus, backlog, project: topology.project, onFatal: fail });
    const pollers = pollLoop({
      ...shared,
      sources: first.polled,
      concurrency: options.pollConcurrency ?? 16,
      checkpoints,
      ingest: take,
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
      now: clock.now,
      startedMs: clock.now(),
      port: () => server?.address.port ?? 0,
      state: life.state,
    };
    const status = (): ProcessStatus => readStatus(parts);
    return {
      http: projectHttp({
        ...shared,
        current,
        ingest: take,
        bodyLimit: options.bodyLimit ?? DEFAULT_BODY_LIMIT,
        roomWaitMs: options.roomWaitMs ?? DEFAULT_ROOM_WAIT_MS,
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
        notReady: life.notReady,
      }),
      status,
      apply: configured.apply,
      inject: (drafts) => take(drafts, () => stop.signal),
      async begin(http) {
        server = http;
        await configured.begin();
        await delivery.inbox.start();
        const subscription = delivery.subscribe();
        pollers.start();
        life.begin(async (failed) => {
          await configured.settled();
          const graceMs = failed ? 0 : (options.drainMs ?? DEFAULT_DRAIN_MS);
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

function replayKey({ id, replay = 0 }: Pick<OrgLoopEvent, "id" | "replay">): string {
  return `${id} ${replay}`;
}

function clockOf({ now, random, timers }: Partial<Clock>): Clock {
  return {
    now: now ?? systemClock.now,
    random: random ?? systemClock.random,
    timers: timers ?? systemClock.timers,
  };
}
