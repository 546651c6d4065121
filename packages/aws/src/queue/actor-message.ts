import { type Delivery, deliveryId, holdsReference } from "@orgloop/engine";
import { type DeliverySpec, OrgLoopError, type OrgLoopEvent, type RouteSpec } from "@orgloop/sdk";
import { actorGroup, deliveryDedupId, deliveryGroup } from "../plan/message-keys.ts";
import { type ObjectStore, unwrapBody, wrapBody } from "./message-body.ts";
import type { FifoMessage } from "./sqs-sender.ts";

/**
 * A delivery as it stands in its actor's queue: it ends under the policy that it was matched with,
 * whatever is deployed meanwhile.
 */
export interface ActorMessage {
  /** `topologyHash` of the Topology it was matched under. */
  readonly topology: string;
  readonly delivery: Delivery;
  /**
   * The delivery's `config` and `prompt` are as the route has them: the config holds references,
   * and placeholders are filled in after these, at the moment of use. No secret lies in a queue,
   * and no text of an event is taken for a reference.
   */
  readonly unresolved?: true;
  /**
   * The event that these placeholders are of, where it is not the delivery's: of a notification,
   * the first that waits.
   */
  readonly about?: OrgLoopEvent;
  readonly policy: DeliverySpec;
  /** `DeliveryContext.deliveryId`. */
  readonly delivery_id: string;
  /** ISO 8601, UTC. */
  readonly matched_at: string;
}

export interface MatchedDelivery {
  readonly delivery: Delivery;
  /** Its route, with references unresolved. */
  readonly route: Pick<RouteSpec, "then" | "delivery" | "with">;
  readonly topologyHash: string;
  /** Whether its actor has other routes as well. */
  readonly severalRoutes: boolean;
  readonly nowMs: number;
}

/**
 * What is sent to the queue of the delivery's actor: in order by group, once by its deduplication
 * id.
 */
export async function actorMessage(
  { delivery, route: spec, topologyHash, severalRoutes, nowMs }: MatchedDelivery,
  objects: ObjectStore,
): Promise<FifoMessage> {
  const { event, route, orderingKey, replay, publication } = delivery;
  const identity = { eventId: event.id, route, replay, publication };
  const unresolved = isUnresolved(spec.then.config);
  const message: ActorMessage = {
    topology: topologyHash,
    ...(unresolved ? { delivery: unfilled(delivery, spec), unresolved } : { delivery }),
    policy: spec.delivery,
    delivery_id: deliveryId(delivery, severalRoutes),
    matched_at: new Date(nowMs).toISOString(),
  };
  return {
    body: await wrapBody(message, objects, event.id),
    group:
      spec.delivery.concurrency === 1
        ? actorGroup(delivery.actor)
        : deliveryGroup({ ...identity, orderingKey, order: spec.delivery.order }),
    dedupId: deliveryDedupId(identity),
  };
}

/** Configs of routes, of which there are few, by whether they hold references. */
const known = new WeakMap<object, boolean>();

function isUnresolved(config: RouteSpec["then"]["config"]): boolean {
  let unresolved = known.get(config);
  if (unresolved === undefined) {
    unresolved = holdsReference(JSON.stringify(config));
    known.set(config, unresolved);
  }
  return unresolved;
}

/** Config and prompt as the route has them. */
function unfilled(delivery: Delivery, { then, with: prompt }: MatchedDelivery["route"]): Delivery {
  const { prompt: _, ...rest } = delivery;
  return { ...rest, config: then.config, ...(prompt && { prompt: prompt.prompt }) };
}

/**
 * Throws `MESSAGE_UNREADABLE` where OrgLoop did not write the body, and what reading its object
 * throws.
 */
export async function readActorMessage(
  body: string,
  objects: Pick<ObjectStore, "get">,
): Promise<ActorMessage> {
  const message = await unwrapBody(body, objects);
  const { delivery, policy, delivery_id } = message as Partial<ActorMessage>;
  if (typeof delivery?.event?.id === "string" && policy && typeof delivery_id === "string") {
    return message as unknown as ActorMessage;
  }
  throw new OrgLoopError("MESSAGE_UNREADABLE", "a message in an actor's queue holds no delivery");
}

/**
 * What a delivery's attempts are kept under in the state table: no other actor's, route's, replay's
 * or publication's.
 */
export function attemptsKey({ event, route, replay, publication }: Delivery): string {
  return deliveryDedupId({ eventId: event.id, route, replay, publication });
}
