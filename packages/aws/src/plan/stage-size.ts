import type { Topology } from "@orgloop/sdk";
import { bulkheads, HISTORIANS } from "./bulkheads.ts";
import { awaitedActors, awaitedDeliverer, delivererGroups, pollerGroups } from "./groups.ts";
import { ingressOf } from "./ingress-of.ts";
import { newLayout, type StageLayout, type StagePart, stacksOf } from "./layout.ts";
import { usedShards } from "./shards.ts";

/**
 * Reserved, so that no wave of deliveries takes the router's place, and no wave of events takes the
 * account's.
 */
export const ROUTER_CONCURRENCY = 50;
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
  /** What it can do with, where every actor gets the least. */
  readonly leastConcurrency: number;
  /** What its actors are given shares of: `aws.concurrency`. */
  readonly sharedConcurrency: number;
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
  const { sources, actors, aws } = topology;
  const polled = sources.filter((source) => intake(source).polled);
  const received = sources.filter((source) => intake(source).received);
  const { kind, concurrency: receivers } = ingressOf(aws);
  const hasIngress = received.length > 0 && kind !== "none";
  const pollers = pollerGroups(topology, polled);
  const awaited = awaitedActors(topology, actors);
  const delivererKeys = [
    ...delivererGroups(topology, actors).map(({ key }) => key),
    ...awaited.map((id) => awaitedDeliverer(topology, id)),
  ];
  const deliverers = delivererKeys.length;
  const shared = aws?.deliverers === "per_connector";
  // Router, historian, recorder, sweeper and the one that empties the bucket.
  const functions = pollers.length + deliverers + 5 + (hasIngress ? 1 : 0);
  const reservedConcurrency = ROUTER_CONCURRENCY + (hasIngress ? receivers : 0);
  const delivered = [...actors.map(({ id }) => id), ...awaited];
  const { shares, least, concurrency } = bulkheads(topology, delivered, reservedConcurrency);
  const delivering = [...shares.values()].reduce((sum, share) => sum + share, 0);
  const stacks = (part: StagePart, ids: readonly string[]) =>
    usedShards(ids, stacksOf(layout, part)).size;
  const pollerKeys = pollers.map(({ key }) => key);
  const siblings =
    stacks("actors", delivered) +
    stacks("pollers", pollerKeys) +
    stacks("alarms", [...delivered, ...delivererKeys, ...pollerKeys]);
  const schedules = stacks(
    "sources",
    polled.map(({ id }) => id),
  );
  return {
    functions,
    // One a function, one for the schedules of each stack, one for that of the sweeper.
    roles: functions + schedules + 1,
    schedules: polled.length + 1,
    // The bus, the history's, each actor's and that of each awaited one, each with its dead-letter
    // queue.
    queues: 2 * (2 + actors.length + awaited.length),
    // Storage, routing, the group of schedules, observability, alerts.
    stacks: 5 + siblings + schedules + (shared ? 1 : 0) + (hasIngress ? 1 : 0),
    concurrency: reservedConcurrency + delivering + polled.length + HISTORIANS + 1,
    reservedConcurrency,
    leastConcurrency: least,
    sharedConcurrency: concurrency,
  };
}
