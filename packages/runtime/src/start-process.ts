import type { Environment } from "@orgloop/config";
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
import { compileRoutes } from "./compile-routes.ts";
import { controlApi } from "./control-api.ts";
import { deadLettersApi } from "./dead-letters-api.ts";
import { drain } from "./drain.ts";
import { eventHistory } from "./event-history.ts";
import { eventRecorder } from "./event-recorder.ts";
import { eventReplays } from "./event-replays.ts";
import { type HttpServer, startHttpServer } from "./http-server.ts";
import { type InjectedDraft, ingest } from "./ingest.ts";
import { keptRouteStates } from "./kept-route-states.ts";
import { lifecycle } from "./lifecycle.ts";
import { metrics } from "./metrics.ts";
import type { openBus } from "./open-bus.ts";
import { openProcess } from "./open-process.ts";
import { pollLoop } from "./poll-loop.ts";
import { polledSources } from "./polled-sources.ts";
import { readApi } from "./read-api.ts";
import {
  readActors,
  readRoutes,
  readSources,
  readStatus,
  type StatusParts,
} from "./read-status.ts";
import { replayApi } from "./replay-api.ts";
import { resolveTopology } from "./resolve-topology.ts";
import { startDelivery } from "./start-delivery.ts";
import type { ProcessStatus } from "./status.ts";
import { webhookRoute } from "./webhook-route.ts";

const DEFAULT_BOUNDS: BacklogBounds = { perSource: 10_000, total: 100_000 };
/** GitHub's own limit for what it sends. */
const DEFAULT_BODY_LIMIT = 25 * 1024 ** 2;
const DEFAULT_ROOM_WAIT_MS = 5_000;
const DEFAULT_DRAIN_MS = 8_000;

export interface StartOptions extends Partial<Clock> {
  readonly topology: Topology;
  /** Absolute. */
  readonly projectDir: string;
  /** Absolute; made where missing. */
  readonly dataDir: string;
  /** What `${NAME}` stands for. */
  readonly env: Environment;
  /** 0 (default): a free one. */
  readonly port?: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** What `/control/*` wants as its bearer token. */
  readonly token: string;
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

/** A project that runs in this process. */
export interface RunningProcess {
  readonly address: { readonly host: string; readonly port: number };
  status(): ProcessStatus;
  /** Puts events on the bus; resolves when they are durable. */
  inject(drafts: readonly InjectedDraft[]): Promise<readonly OrgLoopEvent[]>;
  /** Stops intake, ends what is in flight, leaves the rest on the bus, closes everything. Fine to call twice. */
  drain(): Promise<void>;
  /** Resolves when all is closed: with what forced it (a failed fsync of the bus), or undefined after a drain. */
  readonly closed: Promise<Error | undefined>;
}

/**
 * Runs a topology: opens the data directory, bus, stores and plugins, delivers what was left undelivered, listens and polls.
 * Rejects, with everything closed again, where any of it cannot be opened.
 */
export async function startProcess(options: StartOptions): Promise<RunningProcess> {
  const { topology, projectDir, host = "127.0.0.1", port = 0, token } = options;
  const clock = clockOf(options);
  const resolved = resolveTopology(topology, options.env);
  const routes = compileRoutes(resolved, projectDir);
  const open = await openProcess({
    ...options,
    topology: resolved,
    now: clock.now,
    onEntry: options.onEntry,
  });
  const { log, bus, plugins, checkpoints } = open;
  const life = lifecycle(log);
  const { stop, abandon, fail } = life;
  void bus.failed?.then(fail);
  let listening: HttpServer | undefined;
  try {
    const before = await readAppliedState(options.dataDir);
    const backlog = eventBacklog(options.backlogBounds ?? DEFAULT_BOUNDS);
    const unacked = await bus.unacked();
    for (const event of unacked) backlog.enter(event);
    const mayReturn = new Set(unacked.map(offBus).map(({ event }) => replayKey(event)));
    const starts = await attemptStarts(open.dataDir.starts, clock, (id, replay) =>
      mayReturn.has(replayKey({ id, replay })),
    );
    const kept = await keptRouteStates({
      store: open.routeStates,
      routes: routes.byName.keys(),
      now: clock.now,
      log,
    });
    const measured = metrics(topology, {
      uptimeSeconds: () => (clock.now() - parts.startedMs) / 1_000,
      backlog: () => backlog.size,
      sources: () => readSources(parts),
      actors: () => readActors(parts),
      routes: () => readRoutes(parts),
      deadLetters: () => open.deadLetters.size ?? activity.deadLetters,
    });
    const activity = countActivity(topology, measured.listener);
    const history = eventHistory();
    const shared = { clock, activity, log };
    const recorder = eventRecorder({
      dir: open.dataDir.events,
      retentionMs: parseDuration(resolved.defaults.event_retention),
      now: clock.now,
      warn: (error) => log({ phase: "system.error", error }),
    });
    const replays = eventReplays({
      ...shared,
      dir: open.dataDir.events,
      recorder,
      bus,
      backlog,
      matcher: routes.matcher,
      stop: stop.signal,
    });
    const delivery = startDelivery({
      ...shared,
      topology: resolved,
      routes,
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
      sources: polledSources(resolved, plugins.sources),
      concurrency: options.pollConcurrency ?? 16,
      checkpoints,
      ingest: take,
      stop: stop.signal,
    });
    const parts: StatusParts = {
      topology,
      activity,
      deliverers: delivery.deliverers,
      polls: pollers.states,
      backlog,
      deadLetters: open.deadLetters,
      now: clock.now,
      startedMs: clock.now(),
      port: () => http.address.port,
      state: life.state,
    };
    const status = (): ProcessStatus => readStatus(parts);
    const { bodyLimit = DEFAULT_BODY_LIMIT, roomWaitMs = DEFAULT_ROOM_WAIT_MS } = options;
    const intake = { log, activity, ingest: take, bodyLimit, roomWaitMs, stop: stop.signal };
    const http = await startHttpServer({
      host,
      port,
      token,
      webhook: webhookRoute({ ...intake, sources: plugins.sources }),
      readApi: readApi({
        topology,
        activity,
        history,
        metrics: measured,
        status,
        sources: () => readSources(parts),
      }),
      controlApi: controlApi({
        ...intake,
        status,
        shutdown: () => void life.end(),
        replay: replayApi({ replays, routes: routes.byName, stop: stop.signal }),
        deadLetters: deadLettersApi({
          deadLetters: open.deadLetters,
          replays: delivery.letterReplays,
          stop: stop.signal,
        }),
      }),
      metrics: measured,
      notReady: life.notReady,
    });
    listening = http;
    const { dataDir } = options;
    await keepApplied({ dataDir, before, topology, checkpoints, now: clock.now });
    if (before !== null) {
      for (const id of removedSources(before.topology, topology)) {
        await forgetCheckpoint(id, checkpoints, log);
      }
    }
    const subscription = delivery.subscribe();
    pollers.start();
    life.begin(async (failed) => {
      const graceMs = failed ? 0 : (options.drainMs ?? DEFAULT_DRAIN_MS);
      const deliverers = delivery.deliverers.values();
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
      for (const deliverer of delivery.deliverers.values()) deliverer.keep();
      await kept.flushed();
      await Promise.all([delivery.letterReplays.ended(), replays.ended()]);
      log({ phase: "runtime.stop" });
      await open.close();
    });
    log({ phase: "runtime.start", metadata: { port: http.address.port, pid: process.pid } });
    return {
      address: http.address,
      status,
      inject: (drafts) => take(drafts, () => stop.signal),
      drain: life.end,
      closed: life.closed,
    };
  } catch (error) {
    stop.abort();
    abandon.abort();
    await listening?.close(0);
    await open.close();
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
