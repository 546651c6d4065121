import { type Circuit, circuitOf } from "@orgloop/core";
import { dynamoDeadLetters, dynamoRouteStates, dynamoSourceStates } from "@orgloop/stores/dynamodb";
import { awsCalls } from "./aws-calls.ts";
import type { OpenStage } from "./open-stage.ts";
import { queueCounts } from "./queue-counts.ts";
import { deadLetterQueues } from "./redriven.ts";

/** What `status` shows of a stage, in the form of `spec/cli.md`. */
export interface StageStatus {
  readonly workspace: string;
  readonly running: true;
  readonly bus: "sqs";
  /** Since the last deploy that changed the Topology. */
  readonly uptime_ms: number;
  readonly sources: readonly {
    readonly id: string;
    readonly connector: string;
    /** `degraded`: its last poll failed. */
    readonly state: "active" | "degraded";
    readonly checkpoint: string | null;
    readonly last_poll_at: string | null;
    /** That polls put on the bus; null: it was never polled. */
    readonly events: number | null;
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
  /** Events on the bus and deliveries in the actors' queues. */
  readonly unacked: number;
  /** In the table and in the dead-letter queues. */
  readonly dead_letters: number;
}

/** From the queues' attributes and the state table; counts are SQS's, approximate. */
export async function stageStatus(stage: OpenStage, nowMs: number): Promise<StageStatus> {
  const { names, table, applied, objects } = stage;
  const { sources, routes, actors } = await stage.topology();
  const [polled, circuits, bus, queues, redriven, letters] = await Promise.all([
    dynamoSourceStates(table).read(sources.map(({ id }) => id)),
    dynamoRouteStates(table).load(),
    queueCounts(stage, names.bus),
    awsCalls().map(actors, ({ id }) => queueCounts(stage, names.actorQueue(id))),
    deadLetterQueues(stage).then((dlqs) =>
      awsCalls().map(dlqs, (name) => queueCounts(stage, name)),
    ),
    dynamoDeadLetters({ ...table, objects }).count(),
  ]);
  const held = [bus, ...queues].map(({ waiting, inFlight }) => waiting + inFlight);
  return {
    workspace: stage.workspace,
    running: true,
    bus: "sqs",
    uptime_ms: Math.max(0, nowMs - Date.parse(applied.applied_at)),
    sources: sources.map(({ id, connector }) => {
      const state = polled.get(id);
      return {
        id,
        connector,
        state: (state?.failures ?? 0) > 0 ? "degraded" : "active",
        checkpoint: state?.checkpoint ?? null,
        last_poll_at: state?.polledMs == null ? null : new Date(state.polledMs).toISOString(),
        events: state?.events ?? null,
      };
    }),
    routes: routes.map(({ name }) => ({
      name,
      matched: null,
      delivered: null,
      failed: null,
      circuit: circuitOf({ openUntilMs: circuits.get(name)?.circuit?.openUntilMs ?? null }, nowMs),
    })),
    actors: actors.map(({ id, queue_depth }, index) => ({
      id,
      queued: queues[index]?.waiting ?? 0,
      queue_depth,
      in_flight: queues[index]?.inFlight ?? 0,
    })),
    unacked: held.reduce((sum, count) => sum + count, 0),
    dead_letters: redriven.reduce(
      (sum, { waiting, inFlight }) => sum + waiting + inFlight,
      letters,
    ),
  };
}
