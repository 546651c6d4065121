import { awaitedActors, awaitedDeliverer, delivererGroups, type Group } from "@orgloop/aws/plan";
import { type ActorSpec, DURATION_PATTERN, parseDuration } from "@orgloop/sdk";
import { CfnWaitConditionHandle, type Stack } from "aws-cdk-lib";
import { stageBulkheads } from "./bulkheads.ts";
import { eventSource } from "./event-source.ts";
import { fifoQueue } from "./fifo-queue.ts";
import { lambdaFunction } from "./functions/lambda-function.ts";
import { specValue } from "./functions/spec-value.ts";
import {
  connectorGrants,
  readSecrets,
  receiveFor,
  tellOfInboxes,
  useObjects,
  useTable,
} from "./grants.ts";
import { shardStacks } from "./shard-stacks.ts";
import type { Stage } from "./stage.ts";

/**
 * What a function needs beside its longest attempt: a cold start, settling, returning the rest of
 * the batch.
 */
const MARGIN_S = 30;
const MIN_TIMEOUT_S = 60;
const MAX_TIMEOUT_S = 900;

/**
 * The actors' queues and deliver functions, each in the shard of its id. Actors that drain are
 * among them; those that routes wait for have a function too: it keeps the bound of what comes
 * before they do, and what waits too long.
 */
export function actors(stage: Stage): readonly Stack[] {
  const all = [...stage.topology.actors, ...stage.draining.map(({ routes: _, ...actor }) => actor)];
  const shared = stage.topology.aws?.deliverers === "per_connector";
  const groups = delivererGroups(stage.topology, all).map(delivererOf);
  const groupOf = new Map(groups.flatMap((group) => group.ids.map((id) => [id, group])));
  const before = shared ? [sharedDeliverers(stage, groups)] : [];
  const awaited = awaitedActors(stage.topology, all);
  const shards = shardStacks(stage, "actors", "actors", [...all.map(({ id }) => id), ...awaited]);
  for (const stack of shards.stacks) {
    for (const deliverers of before) stack.addDependency(deliverers);
  }
  const ids = [...all.map(({ id }) => id), ...awaited];
  const { shares } = stageBulkheads(stage, ids);
  const shareOf = (id: string) => shares.get(id) ?? 0;
  for (const { id } of all) {
    const group = groupOf.get(id);
    if (group) addActor(shards.of(id), stage, id, group, { shared, share: shareOf(id) });
  }
  for (const id of awaited) {
    const key = awaitedDeliverer(stage.topology, id);
    const waiting = { key, ids: [id], actors: [], packages: [] };
    addActor(shards.of(id), stage, id, waiting, { shared: false, share: shareOf(id) });
  }
  return [...before, ...shards.stacks];
}

/** A deliver function. */
interface Deliverer {
  /** Names it. */
  readonly key: string;
  /** The actors whose queues it empties. */
  readonly ids: readonly string[];
  /** Those of them that exist. */
  readonly actors: readonly ActorSpec[];
  readonly packages: readonly string[];
}

const delivererOf = ({ key, connector, items }: Group<ActorSpec>): Deliverer => ({
  key,
  ids: items.map(({ id }) => id),
  actors: items,
  packages: [connector],
});

function addActor(
  stack: Stack,
  stage: Stage,
  actor: string,
  group: Deliverer,
  { shared, share }: { readonly shared: boolean; readonly share: number },
): void {
  const { names } = stage;
  const id = idOf(stage, actor);
  const queue = addQueue(stack, stage, actor, 6 * timeoutOf(stage, group));
  const functionName = names.deliverer(group.key);
  const mapping = eventSource(stack, `${id}-source`, {
    queue: names.actorQueue(actor),
    functionName,
    maximumConcurrency: share,
  });
  mapping.addDependency(queue);
  if (!shared) mapping.addDependency(deliverer(stack, `${id}-deliver`, stage, group));
}

function addQueue(stack: Stack, stage: Stage, actor: string, visibilityS: number) {
  const name = stage.names.actorQueue(actor);
  const dlqName = stage.names.actorDlq(actor);
  return fifoQueue(stack, `${idOf(stage, actor)}-queue`, stage, { name, dlqName, visibilityS });
}

/** An actor's part of the ids of its constructs. */
const idOf = ({ names }: Stage, actor: string): string =>
  names.actorQueue(actor).slice(names.actorPrefix.length, -".fifo".length);

/** `deliverers: per_connector`: the functions that several actors share. */
function sharedDeliverers(stage: Stage, groups: readonly Deliverer[]): Stack {
  const stack = stage.stack("deliverers", "OrgLoop: deliver functions");
  new CfnWaitConditionHandle(stack, "Shard");
  for (const group of groups) {
    const name = stage.names.deliverer(group.key);
    deliverer(stack, name.slice(stage.names.prefix.length), stage, group);
  }
  return stack;
}

function deliverer(stack: Stack, id: string, stage: Stage, group: Deliverer) {
  const { names, topology } = stage;
  const { key, ids, actors: existing, packages } = group;
  // What waits has the config that its route had: a route that has changed leaves its secrets for
  // another deploy.
  const routes = ids.flatMap((actor) => [...stage.routesTo(actor), ...stage.formerTo(actor)]);
  const isAwaited = existing.length === 0;
  return lambdaFunction(stack, id, stage, {
    kind: "deliver",
    name: names.deliverer(key),
    description: isAwaited ? `Keeps what waits for ${ids}` : `Delivers to ${key}`,
    packages,
    spec: specValue(stack, `${id}Spec`, {
      actors: existing,
      ...(isAwaited ? { awaited: ids } : {}),
      ...(topology.network ? { network: topology.network } : {}),
    }),
    timeoutS: timeoutOf(stage, group),
    memoryMb: 256,
    statements: [
      receiveFor(stage, ids),
      ...tellOfInboxes(stage, ids),
      useTable(stage, "deliver"),
      useObjects(stage, "claims"),
      ...readSecrets(stage, [
        existing,
        routes.map(({ then, delivery }) => [then.config, delivery]),
      ]),
      ...connectorGrants(existing),
    ],
  });
}

/**
 * Long enough for an attempt of the slowest route to any of the group, whatever came before it in
 * the batch.
 */
function timeoutOf({ routesTo }: Stage, { ids }: Deliverer): number {
  const slowest = ids
    .flatMap((id) => routesTo(id))
    .reduce((most, { delivery }) => Math.max(most, timeoutMs(delivery.timeout)), 0);
  const wanted = Math.ceil(slowest / 1000) + MARGIN_S;
  return Math.min(MAX_TIMEOUT_S, Math.max(MIN_TIMEOUT_S, wanted));
}

/** A reference is known only at run time: then it may be the longest. */
const timeoutMs = (timeout: string): number =>
  DURATION_PATTERN.test(timeout) ? parseDuration(timeout) : 1000 * MAX_TIMEOUT_S;
