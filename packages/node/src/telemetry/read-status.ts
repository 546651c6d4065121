import { type RepeatTable, withoutUserinfo } from "@orgloop/engine";
import type { DeadLetterStore, Topology } from "@orgloop/sdk";
import type { ActorDeliverer } from "../delivery/actor-deliverer.ts";
import type { Backlog } from "../intake/backlog.ts";
import { sourceHealth } from "../intake/source-circuit.ts";
import type { PollState } from "../intake/source-loop.ts";
import type { Activity } from "./activity.ts";
import type {
  ActorStatus,
  ProcessStatus,
  RepeatsStatus,
  RouteStatus,
  SourceStatus,
} from "./status.ts";

export interface StatusParts {
  /** As configured: references unresolved, so that no status shows a secret. */
  readonly topology: () => Topology;
  readonly activity: Activity;
  readonly deliverers: ReadonlyMap<string, ActorDeliverer>;
  readonly polls: ReadonlyMap<string, PollState>;
  readonly backlog: Backlog;
  readonly deadLetters: Pick<DeadLetterStore, "size">;
  readonly repeats: () => RepeatsStatus;
  readonly now: () => number;
  readonly startedMs: number;
  readonly port: () => number;
  readonly state: () => "running" | "draining" | "failed";
  /** Why no events are taken in now; null: they are. */
  readonly notReady: () => string | null;
}

const STATES = { healthy: "active", degraded: "degraded", unhealthy: "circuit_open" } as const;

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export function readStatus(parts: StatusParts): ProcessStatus {
  const { activity, backlog, now, startedMs, port, state } = parts;
  const topology = parts.topology();
  const { project, workspace, bus } = topology;
  const sources = readSources(parts);
  const uptime_ms = now() - startedMs;
  const troubled = sources.some(({ status }) => status !== "healthy");
  const running = state() === "running";
  const not_ready = parts.notReady();
  const ill = state() === "failed" || (running && not_ready !== null);
  return {
    project,
    workspace,
    running,
    draining: state() === "draining",
    bus: withoutUserinfo(bus.url),
    health: ill ? "error" : troubled || !running ? "degraded" : "ok",
    not_ready,
    pid: process.pid,
    uptime_ms,
    http_port: port(),
    modules: [
      {
        name: project,
        state: running ? "active" : "unloading",
        sources: topology.sources.length,
        routes: topology.routes.length,
        actors: topology.actors.length,
        uptime_ms,
      },
    ],
    sources,
    routes: readRoutes(parts),
    actors: readActors(parts),
    unacked: backlog.size,
    dead_letters: parts.deadLetters.size ?? activity.deadLetters,
    repeats: parts.repeats(),
  };
}

export function readSources({ topology, activity, polls }: StatusParts): readonly SourceStatus[] {
  const { sources, defaults } = topology();
  return sources.map(({ id, connector, poll }) => {
    const counts = activity.source(id);
    const polled = polls.get(id);
    const illLists = polled?.illLists ?? [];
    const status = polled === undefined ? "healthy" : healthOf(polled);
    return {
      id,
      connector,
      type: polled === undefined ? "webhook" : "polling",
      state: STATES[status],
      checkpoint: polled?.checkpoint ?? null,
      last_poll_at: iso(polled?.lastPollMs ?? null),
      events: counts.events,
      refused: counts.refused,
      repeats: counts.repeats,
      errors: counts.errors,
      status,
      event_count: counts.events,
      last_event: iso(counts.lastEventMs),
      ...(illLists.length > 0 && { ill_lists: illLists }),
      ...(polled !== undefined && {
        poll_interval: poll?.interval ?? defaults.poll_interval,
      }),
    };
  });
}

/** A source that reads some of its lists and not others is degraded. */
function healthOf({ circuit, illLists }: PollState): SourceStatus["status"] {
  const health = sourceHealth(circuit);
  return health === "healthy" && illLists.length > 0 ? "degraded" : health;
}

export function readRoutes({
  topology,
  activity,
  deliverers,
}: StatusParts): readonly RouteStatus[] {
  return topology().routes.map(({ name, then }) => {
    const { matched, delivered, failed, dropped } = activity.route(name);
    const deliverer = deliverers.get(then.actor);
    return {
      name,
      matched,
      delivered,
      failed,
      circuit: deliverer?.circuit(name) ?? "closed",
      dropped,
      breaker: deliverer?.breaker(name) ?? null,
    };
  });
}

export function readActors({ topology, deliverers }: StatusParts): readonly ActorStatus[] {
  return topology().actors.map(({ id, connector, queue_depth }) => {
    const deliverer = deliverers.get(id);
    return {
      id,
      connector,
      queued: deliverer?.queued ?? 0,
      queue_depth: deliverer?.depth ?? queue_depth,
      in_flight: deliverer?.inFlight ?? 0,
      oldest_at: deliverer?.oldest ?? null,
    };
  });
}

/** What is known of repeats, and for how long. */
export function repeatsStatus(
  { size, most, pushedOutAt }: Pick<RepeatTable, "size" | "most" | "pushedOutAt">,
  window_ms: number,
  nowMs: number,
): RepeatsStatus {
  const holds_ms = Math.min(window_ms, Math.max(0, nowMs - pushedOutAt * 1_000));
  return { ids: size, most, window_ms, holds_ms };
}
