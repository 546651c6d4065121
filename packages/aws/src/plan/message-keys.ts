import { createHash } from "node:crypto";
import type { DeliverySpec } from "@orgloop/sdk";

/** SQS's limit for message groups and deduplication ids is 128; a suffix must fit behind. */
const READABLE = /^[A-Za-z0-9_./-]{1,100}$/;
const READABLE_ID = /^[A-Za-z0-9_-]{1,100}$/;

/** `~` stands in no readable form. */
const hashed = (text: string): string => `~${sha256(text)}`;

/**
 * The bus's message group of a source, or of one ordering key of it: the order of its events is
 * kept. The source's id where SQS allows it, else a hash.
 */
export function messageGroup(source: string, key: string | null = null): string {
  if (key !== null) return `~${slug(source, 40)}~${sha256(JSON.stringify([source, key]))}`;
  return READABLE.test(source) ? source : hashed(source);
}

/**
 * By which SQS forgets, for 5 minutes, an event or a replay that was put on the bus twice without
 * publications of its own.
 */
export function eventDedupId({ id, replay }: { id: string; replay?: number }): string {
  const name = READABLE_ID.test(id) ? id : hashed(id);
  return replay ? `${name}.r${replay}` : name;
}

/** What identifies one delivery among all of its actor. */
export interface DeliveryIdentity {
  readonly eventId: string;
  readonly route: string;
  /** 0: the first time. */
  readonly replay: number;
  /** Which publication of the event, where it is delivered once more. */
  readonly publication?: string | undefined;
}

/**
 * By which an actor's queue forgets a delivery that was sent twice. Two routes of one actor and
 * replays are told apart.
 */
export function deliveryDedupId(identity: DeliveryIdentity): string {
  const { eventId, route, replay, publication = [] } = identity;
  return sha256(JSON.stringify([eventId, route, replay].concat(publication)));
}

/**
 * The message group of a delivery in its actor's queue: what waits in one is delivered in order.
 * `order: key` has a group a route and ordering key, `route` a group a route, `none` a group a
 * delivery.
 */
export function deliveryGroup(
  delivery: DeliveryIdentity & {
    readonly orderingKey: string;
    readonly order: DeliverySpec["order"];
  },
): string {
  const { eventId, route, replay, orderingKey, order } = delivery;
  const parts = {
    key: ["key", route, orderingKey],
    route: ["route", route],
    none: ["none", route, eventId, replay],
  }[order];
  return `${slug(route, 60)}-${sha256(JSON.stringify(parts))}`;
}

/** SHA-256 in lower-case hex. */
export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Lower-case letters, digits and single hyphens, of at most `length` characters; may be empty. */
export function slug(text: string, length: number): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, length + 1)
    .replace(/^-/, "")
    .slice(0, length)
    .replace(/-$/, "");
}

/**
 * The one message group of an actor that takes one delivery at a time: SQS hands over no second
 * batch of a group, whatever the least of a mapping's concurrency is.
 */
export const actorGroup = (actor: string): string =>
  `${slug(actor, 60)}-${sha256(JSON.stringify(["actor", actor]))}`;
