import { type ActorSpec, parseDuration, type RouteSpec, type Topology } from "@orgloop/sdk";
import type { AwsNames } from "../aws-names.ts";
import { awaitedActors, awaitedDeliverer, delivererGroups, pollerGroups } from "../groups.ts";
import { ingressOf } from "../ingress-of.ts";
import { type StageLayout, stacksOf } from "../layout.ts";
import type { Intake } from "../stage-size.ts";
import type { Alarmed } from "./alarm-plan.ts";

export interface AlarmedOptions {
  readonly workspace: string;
  readonly names: AwsNames;
  readonly topology: Topology;
  readonly intake: Intake;
  readonly layout: StageLayout;
  /** Those that were removed and have a queue still. */
  readonly draining?: readonly ActorSpec[];
  readonly routesTo: (actor: string) => readonly RouteSpec[];
}

/** An account's, where nothing was raised. */
const CONCURRENCY = 1000;

/** What of a stage is watched, and the keys by which its alarms are spread over stacks. */
export function alarmed(options: AlarmedOptions): Alarmed & { readonly keys: readonly string[] } {
  const { names, topology, intake, layout, draining = [], routesTo, workspace } = options;
  const existing = [...topology.actors, ...draining];
  const awaited = awaitedActors(topology, existing);
  const deliverers = [
    ...delivererGroups(topology, existing).map(({ key, items }) => ({
      key,
      ids: items.map(({ id }) => id),
    })),
    ...awaited.map((id) => ({ key: awaitedDeliverer(topology, id), ids: [id] })),
  ];
  const polled = topology.sources.filter((source) => intake(source).polled);
  const pollers = pollerGroups(topology, polled).map(({ key, items }) => ({
    key,
    functionName: names.poller(key),
    intervalMs: Math.min(
      ...items.map(({ poll }) => parseDuration(poll?.interval ?? topology.defaults.poll_interval)),
    ),
  }));
  const actors = [...existing.map(({ id }) => id), ...awaited];
  const received = topology.sources.some((source) => intake(source).received);
  return {
    ...{ workspace, names, actors, routesTo, deliverers, pollers },
    receives: received && ingressOf(topology.aws).kind !== "none",
    concurrency: topology.aws?.concurrency ?? CONCURRENCY,
    shards: stacksOf(layout, "alarms"),
    keys: [...actors, ...deliverers.map(({ key }) => key), ...pollers.map(({ key }) => key)],
  };
}
