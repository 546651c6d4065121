import { type Environment, readEnvironment } from "@orgloop/config";
import type { InjectedDraft } from "@orgloop/core";
import { offBus } from "@orgloop/core";
import {
  type LogEntry,
  type OrgLoopEvent,
  type PluginLookup,
  parseDuration,
  type Topology,
} from "@orgloop/sdk";
import { readAppliedState } from "@orgloop/stores";
import { countActivity } from "./activity.ts";
import { forgetCheckpoint, keepApplied, removedSources } from "./applied.ts";
import { attemptStarts } from "./attempt-starts.ts";
import { type BacklogBounds, backlog as eventBacklog } from "./backlog.ts";
import { type Clock, systemClock } from "./clock.ts";
import { drain } from "./drain.ts";
import { eventHistory } from "./event-history.ts";
import { eventRecorder } from "./event-recorder.ts";
import { eventReplays } from "./event-replays.ts";
import { type Current, generation } from "./generation.ts";
import type { HttpServer } from "./http-server.ts";
import { ingest } from "./ingest.ts";
import { keptRouteStates } from "./kept-route-states.ts";
import { lifecycle } from "./lifecycle.ts";
import { metrics } from "./metrics.ts";
import type { openBus } from "./open-bus.ts";
import { openPlugins } from "./open-plugins.ts";
import { openProcess } from "./open-process.ts";
import { pollLoop } from "./poll-loop.ts";
import { polledSources } from "./polled-sources.ts";
import { prepareTopology } from "./prepare-topology.ts";
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
  const prepared = prepareTopology(topology, readEnvironment(projectDir, env), projectDir);
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
    const plugins = await openPlugins({
      topology: prepared.resolved,
      projectDir,
      lookup,
      claims: open.claims,
      now: clock.now,
      warn: (item, message) => log({ phase: "system.error", error: `${item}: ${message}` }),
      open: open.plugins,
    });
    const first = generation({ prepared, plugins, clock, log, abandon: abandon.signal });
    const current: Current = () => first;
    open.journal.change(
      [...plugins.loggers.values()].map(({ part }) => part),
      prepared.resolved.defaults.log_level,
    );
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
      retentionMs: () => parseDuration(current().resolved.defaults.event_retention),
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
      sources: polledSources(first.resolved, plugins.sources),
      concurrency: options.pollConcurrency ?? 16,
      checkpoints,
      ingest: take,
      stop: stop.signal,
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
        deadLetters: open.deadLetters,
        shutdown: () => void life.end(),
        notReady: life.notReady,
      }),
      status,
      inject: (drafts) => take(drafts, () => stop.signal),
      async begin(http) {
        server = http;
        const { dataDir } = options;
        await keepApplied({ dataDir, before, topology, checkpoints, now: clock.now });
        if (before !== null) {
          for (const id of removedSources(before.topology, topology)) {
            await forgetCheckpoint(id, checkpoints, log);
          }
        }
        await delivery.inbox.start();
        const subscription = delivery.subscribe();
        pollers.start();
        life.begin(async (failed) => {
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
