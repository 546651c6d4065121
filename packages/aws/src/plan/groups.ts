import type { ActorSpec, SourceSpec, Topology } from "@orgloop/sdk";

/** What one function serves. */
export interface Group<Item> {
  /** Names the function: the item's id, or connector and team. */
  readonly key: string;
  readonly connector: string;
  readonly items: readonly Item[];
}

/** Above it, a function a source would break the account's quota of IAM roles. */
const MAX_POLLERS_PER_SOURCE = 100;

/** The poller functions of `polled` sources: one a source, or one a connector and team. */
export function pollerGroups(
  { aws }: Topology,
  polled: readonly SourceSpec[],
): readonly Group<SourceSpec>[] {
  const preset = polled.length > MAX_POLLERS_PER_SOURCE ? "per_connector" : "per_source";
  return (aws?.pollers ?? preset) === "per_source" ? each(polled) : byConnector(polled);
}

/** The key of the poller function of each source, by the source's id. */
export function pollerOf(groups: readonly Group<SourceSpec>[]): ReadonlyMap<string, string> {
  return new Map(groups.flatMap(({ key, items }) => items.map(({ id }) => [id, key] as const)));
}

/** The deliver functions of `actors`: one an actor, or one a connector and team. */
export function delivererGroups(
  { aws }: Topology,
  actors: readonly ActorSpec[],
): readonly Group<ActorSpec>[] {
  return aws?.deliverers === "per_connector" ? byConnector(actors) : each(actors);
}

/**
 * The actors that routes wait for (a module's `fallback: queue`) and that are not among `actors`:
 * they have a queue, and a function that keeps its bound.
 */
export function awaitedActors(
  { routes }: Topology,
  actors: readonly Pick<ActorSpec, "id">[],
): readonly string[] {
  const ids = new Set(actors.map(({ id }) => id));
  const awaited = routes.filter(({ then }) => then.queue_until_exists && !ids.has(then.actor));
  return [...new Set(awaited.map(({ then }) => then.actor))];
}

/**
 * The key of the deliver function that keeps what comes for an awaited actor: the name that its own
 * function will have; where functions are shared, such names are connectors'.
 */
export function awaitedDeliverer({ aws }: Topology, id: string): string {
  return aws?.deliverers === "per_connector" ? `awaited ${id}` : id;
}

/**
 * The actors of routes with an inbox: their events wait in the state table until they are fetched.
 */
export function inboxActors({ routes }: Pick<Topology, "routes">): readonly string[] {
  const inboxes = routes.filter(({ then }) => then.config.inbox === true);
  return [...new Set(inboxes.map(({ then }) => then.actor))];
}

function each<Item extends SourceSpec | ActorSpec>(items: readonly Item[]): Group<Item>[] {
  return items.map((item) => ({ key: item.id, connector: item.connector, items: [item] }));
}

function byConnector<Item extends SourceSpec | ActorSpec>(items: readonly Item[]): Group<Item>[] {
  const groups = Map.groupBy(items, ({ id, connector }) => {
    const team = id.includes("/") ? `/${id.slice(0, id.lastIndexOf("/"))}` : "";
    return `${connector}${team}`;
  });
  return [...groups].map(([key, members]) => ({
    key: key.replace(/^@orgloop\/connector-/, ""),
    connector: members[0]?.connector ?? "",
    items: members,
  }));
}
