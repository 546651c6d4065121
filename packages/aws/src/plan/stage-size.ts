import type { Topology } from "@orgloop/sdk";
import { deliveryConcurrency } from "./delivery-concurrency.ts";
import { awaitedActors, delivererGroups, inboxActors, pollerGroups } from "./groups.ts";
import { newLayout, type StageLayout } from "./layout.ts";
import { usedShards } from "./shards.ts";

/**
 * Reserved, so that no wave of deliveries takes the router's place, and no wave of events takes the
 * account's.
 */
export const ROUTER_CONCURRENCY = 50;
/** Reserved: what anyone can call takes no more of the account than this. */
export const RECEIVER_CONCURRENCY = 50;

/** How events come from a source. */
export type Intake = (source: Topology["sources"][number]) => {
  readonly polled: boolean;
  readonly received: boolean;
};

/** What a stage takes of its account's quotas. */
export interface StageSize {
  readonly functions: number;
  readonly roles: number;
  readonly schedules: number;
  readonly queues: number;
  readonly stacks: number;
  /** Of functions, when every actor and every source is busy at once. */
  readonly concurrency: number;
  /** Of it, what no other function in the account can use. */
  readonly reservedConcurrency: number;
}

/**
 * Counts what the stacks make of a Topology in a stage that had nothing else; `layout` is that of a
 * new stage where none is given.
 */
export function stageSize(
  topology: Topology,
  intake: Intake,
  layout: StageLayout = newLayout(topology),
): StageSize {
  const { sources, actors, routes, aws } = topology;
  const polled = sources.filter((source) => intake(source).polled);
  const received = sources.filter((source) => intake(source).received);
  const hasIngress = received.length > 0 && aws?.ingress !== "none";
  const pollers = pollerGroups(topology, polled);
  const awaited = awaitedActors(topology, actors);
  const deliverers = delivererGroups(topology, actors).length + awaited.length;
  const shared = aws?.deliverers === "per_connector";
  const sweepers = inboxActors(topology).length > 0 ? 1 : 0;
  // Router, recorder and the one that empties the bucket.
  const functions = pollers.length + deliverers + 3 + (hasIngress ? 1 : 0) + sweepers;
  const reservedConcurrency = ROUTER_CONCURRENCY + (hasIngress ? RECEIVER_CONCURRENCY : 0);
  const widest = new Map<string, number>();
  for (const { then, delivery } of routes) {
    widest.set(then.actor, Math.max(widest.get(then.actor) ?? 0, delivery.concurrency));
  }
  const delivered = [...actors.map(({ id }) => id), ...awaited];
  const delivering = delivered.reduce(
    (sum, id) => sum + deliveryConcurrency(widest.get(id) ?? 0).invocations,
    0,
  );
  const stacks = (part: keyof StageLayout, ids: readonly string[]) =>
    usedShards(ids, layout[part]).size;
  const siblings =
    stacks("actors", delivered) +
    stacks(
      "pollers",
      pollers.map(({ key }) => key),
    );
  const schedules = stacks(
    "sources",
    polled.map(({ id }) => id),
  );
  return {
    functions,
    // One a function, one for the schedules of each stack, one for that of the inboxes.
    roles: functions + schedules + sweepers,
    schedules: polled.length + sweepers,
    // The bus, each actor's and that of each awaited one, each with its dead-letter queue.
    queues: 2 * (1 + actors.length + awaited.length),
    // Storage, routing, the group of schedules, observability.
    stacks: 4 + siblings + schedules + (shared ? 1 : 0) + (hasIngress ? 1 : 0),
    concurrency: reservedConcurrency + delivering + polled.length + sweepers,
    reservedConcurrency,
  };
}
