import { type Circuit, CLOSED, circuitOf } from "@orgloop/engine";
import { hasCode, type IllList, parseDuration, type SourceSpec, type Topology } from "@orgloop/sdk";
import { DRAINING_KEY, type DrainingActors } from "../deploy/draining.ts";
import { type SourceHealth, sourceHealth } from "../intake/source-health.ts";
import { awaitedActors } from "../plan/groups.ts";
import { dynamoDeadLetters } from "../state/dead-letters.ts";
import { dynamoRouteStates } from "../state/route-states.ts";
import { dynamoSourceStates, type SourceState } from "../state/source-states.ts";
import type { OpenStage } from "./open-stage.ts";
import { countQueues } from "./queue-counts.ts";
import { deadLetterQueues } from "./redriven.ts";

/** What `status` shows of a stage, in the form of `docs/commands.md`. */
export interface StageStatus {
  readonly workspace: string;
  readonly running: true;
  readonly bus: "sqs";
  /** Since the last deploy that changed the Topology. */
  readonly uptime_ms: number;
  readonly sources: readonly {
    readonly id: string;
    readonly connector: string;
    /** `degraded`: its last poll failed; `stale`: it was not polled for several intervals. */
    readonly state: SourceHealth;
    readonly checkpoint: string | null;
    readonly last_poll_at: string | null;
    /** That polls put on the bus; null: it was never polled. */
    readonly events: number | null;
    /** Lists that its last poll could not read; absent where there are none. */
    readonly ill_lists?: readonly IllList[];
  }[];
  /** Null: nobody counts by route there; the log and the dashboard tell. */
  readonly routes: readonly {
    readonly name: string;
    readonly matched: null;
    readonly delivered: null;
    readonly failed: null;
    readonly circuit: Circuit;
  }[];
  readonly actors: readonly {
    readonly id: string;
    readonly queued: number;
    readonly queue_depth: number;
    readonly in_flight: number;
  }[];
  /** Names of the queues of what is deployed that are not there; absent where all are. */
  readonly missing_queues?: readonly string[];
  /**
   * Actors that were removed and stay until both of their queues are empty; absent where there are
   * none.
   */
  readonly draining?: readonly {
    readonly id: string;
    readonly queued: number;
    readonly in_flight: number;
    /** In its dead-letter queue. */
    readonly dead_letters: number;
  }[];
  /**
   * Events on the bus and deliveries in the actors' queues, also in those of actors that drain or
   * are waited for.
   */
  readonly unacked: number;
  /** In the table and in the dead-letter queues. */
  readonly dead_letters: number;
}

/**
 * From the queues' attributes and the state table; counts are SQS's, approximate. Of a source that
 * is not `polled`, nobody expects polls.
 */
export async function stageStatus(
  stage: OpenStage,
  nowMs: number,
  polled: (source: SourceSpec) => boolean,
): Promise<StageStatus> {
  const { names, table, applied, objects } = stage;
  const [topology, leaving, dlqs] = await Promise.all([
    stage.topology(),
    drainingActors(stage),
    deadLetterQueues(stage),
  ]);
  const { sources, routes, actors } = topology;
  const kept = [...actors, ...leaving];
  const ids = [...kept.map(({ id }) => id), ...awaitedActors(topology, kept)];
  const queues = ids.map(names.actorQueue);
  const [polls, circuits, countOf, letters] = await Promise.all([
    dynamoSourceStates(table).read(sources.map(({ id }) => id)),
    dynamoRouteStates(table).load(),
    countQueues(stage, [names.bus, ...queues, ...dlqs]),
    dynamoDeadLetters({ ...table, objects }).count(),
  ]);
  const held = (queue: string): number => countOf(queue).waiting + countOf(queue).inFlight;
  const inAll = (all: readonly string[]) => all.reduce((sum, queue) => sum + held(queue), 0);
  const missing = missingQueues(names, actors, new Set(dlqs), countOf);
  const actorCounts = (id: string) => {
    const { waiting, inFlight } = countOf(names.actorQueue(id));
    return { queued: waiting, in_flight: inFlight };
  };
  return {
    workspace: stage.workspace,
    running: true,
    bus: "sqs",
    uptime_ms: Math.max(0, nowMs - Date.parse(applied.applied_at)),
    sources: sources.map((source) => {
      const { interval } = source.poll ?? { interval: topology.defaults.poll_interval };
      const intervalMs = polled(source) ? parseDuration(interval) : Number.POSITIVE_INFINITY;
      const since = { intervalMs, sinceMs: Date.parse(applied.applied_at) };
      return sourceStatus(source, polls.get(source.id), since, nowMs);
    }),
    routes: routes.map(({ name }) => ({
      name,
      matched: null,
      delivered: null,
      failed: null,
      circuit: circuitOf(circuits.get(name)?.breaker ?? CLOSED, nowMs),
    })),
    actors: actors.map(({ id, queue_depth }) => ({ id, ...actorCounts(id), queue_depth })),
    ...(missing.length > 0 && { missing_queues: missing }),
    ...(leaving.length > 0 && {
      draining: leaving.map(({ id }) => ({
        id,
        ...actorCounts(id),
        dead_letters: held(names.actorDlq(id)),
      })),
    }),
    unacked: inAll([names.bus, ...queues]),
    dead_letters: letters + inAll(dlqs),
  };
}

function sourceStatus(
  { id, connector }: SourceSpec,
  state: SourceState | undefined,
  since: Parameters<typeof sourceHealth>[1],
  nowMs: number,
): StageStatus["sources"][number] {
  return {
    id,
    connector,
    state: sourceHealth(state, since, nowMs),
    checkpoint: state?.checkpoint ?? null,
    last_poll_at: state?.polledMs == null ? null : new Date(state.polledMs).toISOString(),
    events: state?.events ?? null,
    ...(state !== undefined && state.illLists.length > 0 && { ill_lists: state.illLists }),
  };
}

/** Names of those that should be there. */
function missingQueues(
  names: OpenStage["names"],
  actors: Topology["actors"],
  dlqs: ReadonlySet<string>,
  countOf: Awaited<ReturnType<typeof countQueues>>,
): readonly string[] {
  const received = [names.bus, names.busDlq, ...actors.map(({ id }) => names.actorQueue(id))];
  const put = actors.map(({ id }) => names.actorDlq(id));
  return [
    ...received.filter((queue) => countOf(queue).missing),
    ...put.filter((queue) => !dlqs.has(queue)),
  ];
}

async function drainingActors({ objects }: OpenStage): Promise<DrainingActors> {
  try {
    return JSON.parse(await objects.get(DRAINING_KEY)) as DrainingActors;
  } catch (error) {
    if (hasCode(error, "OBJECT_MISSING")) return [];
    throw error;
  }
}
