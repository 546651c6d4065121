import { createHash } from "node:crypto";
import { NO_ROUTES } from "@orgloop/sdk";
import { getItem, type StateTable, singleKey, ttlSeconds } from "./state-table.ts";
import { updateItem } from "./write-item.ts";

/** One publication of an event, as the router knows it: what comes again under it is the same. */
export interface RoutedOnce {
  readonly eventId: string;
  readonly replay: number;
  readonly publication?: string | undefined;
}

/**
 * On which routes an event is done with that has to come again: the delivery was taken by its
 * actor's queue. SQS itself would know for 5 minutes.
 */
export interface AcceptedDeliveries {
  /** Names of routes, as {@link hashOfRoute} has them; empty of what is not known. */
  load(event: RoutedOnce): Promise<ReadonlySet<string>>;
  add(event: RoutedOnce, routes: readonly string[]): Promise<void>;
}

export interface DynamoAcceptedOptions extends StateTable {
  readonly now?: () => number;
}

/** Longer than a message stays on the bus (14 days). */
const KEPT_MS = 15 * 86_400_000;

/** One item an event that came again, with a set of hashes. */
export function dynamoAccepted(options: DynamoAcceptedOptions): AcceptedDeliveries {
  const { now = Date.now } = options;
  return {
    async load(event) {
      const { routes } = (await getItem(options, acceptedKey(event))) ?? {};
      return routes instanceof Set ? routes : NO_ROUTES;
    },
    async add(event, routes) {
      const ttl = ttlSeconds(now() + KEPT_MS);
      const add = { routes: new Set(routes.map(hashOfRoute)) };
      await updateItem(options, acceptedKey(event), { add, set: { ttl } });
    },
  };
}

const acceptedKey = ({ eventId, replay, publication }: RoutedOnce) =>
  singleKey("accepted", JSON.stringify([eventId, replay, publication ?? null]));

/** A route's name, however long, in 16 characters: what has 10,000 routes still is one item. */
export function hashOfRoute(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 16);
}
