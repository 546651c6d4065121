import { createHash } from "node:crypto";
import type { DeadLetter, DeadLetterStore, DeadReason, OrgLoopEvent } from "@orgloop/sdk";
import { type AttemptState, type Delivery, NO_ATTEMPTS } from "../delivery/delivery.ts";
import type { MaskSecrets } from "../plugins/secret-mask.ts";
import type { RouteFault } from "../routing/routed-route.ts";

/**
 * One event and route make one dead letter: also where a crash repeats its writing, and where its
 * replay fails.
 */
function letterId(parts: readonly string[]): string {
  return `dl_${createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 32)}`;
}

/** The id of the letter that an event on a route has, where it is one. */
export function deliveryLetterId(eventId: string, route: string): string {
  return letterId([eventId, route]);
}

/**
 * Whether a delivery that has come back is a dead letter already: the process died after the
 * letter, before the bus knew that the route is settled. A letter of an earlier publication of the
 * event is none of it: that had another time, or its last attempt was before `since` (ISO 8601,
 * when this one was matched; default: not known).
 */
export async function isDeadLetter(
  { event, route, replay }: Delivery,
  deadLetters: Pick<DeadLetterStore, "get">,
  since = "",
): Promise<boolean> {
  const letter = await deadLetters.get(deliveryLetterId(event.id, route));
  if (letter === null || (letter.event.replay ?? 0) !== replay) return false;
  return letter.event.timestamp === event.timestamp && letter.last_at >= since;
}

export function deliveryLetter(
  delivery: Delivery,
  reason: DeadReason,
  state: AttemptState,
  nowMs: number,
): DeadLetter {
  const { event, route, actor, orderingKey, untransformed } = delivery;
  return {
    id: deliveryLetterId(event.id, route),
    event_id: event.id,
    route,
    actor,
    reason,
    attempts: state.attempts,
    first_at: new Date(state.firstAtMs ?? nowMs).toISOString(),
    last_at: new Date(state.lastAtMs ?? nowMs).toISOString(),
    first_error: state.firstError,
    last_error: state.lastError,
    event,
    ordering_key: orderingKey,
    ...(untransformed && { untransformed }),
  };
}

/**
 * The letter of a route that an event cannot go, by a fault of the route itself: its filter,
 * template, prompt or key.
 */
export function faultLetter(
  { delivery, error, reason = "invalid" }: RouteFault,
  nowMs: number,
): DeadLetter {
  const state = { ...NO_ATTEMPTS, firstError: error, lastError: error };
  return deliveryLetter(delivery, reason, state, nowMs);
}

/** The letter of an event whose replay has failed: what went before is not forgotten. */
export function letterOfReplay(letter: DeadLetter, earlier: LetterHistory): DeadLetter {
  return {
    ...letter,
    attempts: earlier.attempts + letter.attempts,
    first_at: earlier.first_at,
    first_error: earlier.first_error ?? letter.first_error,
    last_error: letter.last_error ?? earlier.last_error,
  };
}

/** What went wrong, without secrets; the event is kept as it is. */
export function maskedLetter(letter: DeadLetter, mask: MaskSecrets): DeadLetter {
  const { first_error, last_error } = letter;
  return {
    ...letter,
    first_error: first_error && mask(first_error),
    last_error: last_error && mask(last_error),
  };
}

/** What a letter says of the attempts before its replay. */
export type LetterHistory = Pick<
  DeadLetter,
  "attempts" | "first_at" | "first_error" | "last_error"
>;

/**
 * Whether an event that has come back was given up as a whole before: the process died between the
 * letter and the ack.
 */
export async function isUnroutable(
  { id, replay = 0 }: OrgLoopEvent,
  deadLetters: DeadLetterStore,
): Promise<boolean> {
  const letter = await deadLetters.get(letterId([id]));
  return letter !== null && (letter.event.replay ?? 0) === replay;
}

/**
 * The letter of an event that does not fit the schema of its source. It was never on the bus, and
 * its id is free: another body under it is a letter of its own, and no letter of an event that is
 * routed.
 */
export function unfitLetter(event: OrgLoopEvent, error: string, nowMs: number): DeadLetter {
  const letter = unroutableLetter(event, error, nowMs, "invalid");
  const body = JSON.stringify(event.payload);
  return { ...letter, id: letterId([event.id, body]).replace("dl_", UNFIT) };
}

const UNFIT = "dl_unfit";

/** Whether a letter is of an event that did not fit: its replay is checked again, and routed. */
export const isUnfitLetter = ({ id }: Pick<DeadLetter, "id">): boolean => id.startsWith(UNFIT);

/**
 * The letter of an event that could not be routed, or must not be: a loop, one that is too old, a
 * message that holds none.
 */
export function unroutableLetter(
  event: OrgLoopEvent,
  error: string,
  nowMs: number,
  reason: DeadReason = "poison",
): DeadLetter {
  const at = new Date(nowMs).toISOString();
  return {
    id: letterId([event.id]),
    event_id: event.id,
    route: null,
    actor: null,
    reason,
    attempts: 0,
    first_at: at,
    last_at: at,
    first_error: error,
    last_error: error,
    event,
  };
}
