import {
  type Delivery,
  deliveryLetterId,
  type EndedRoute,
  faultLetter,
  followTrace,
  type LoopCheck,
  loopEntry,
  matchedOnce,
  matcherFor,
  offBus,
  type RecordedLine,
  type Router,
  type TraceChain,
  unroutableLetter,
} from "@orgloop/engine";
import { hasCode, messageOf, OrgLoopError, type OrgLoopEvent } from "@orgloop/sdk";
import { type BurialOptions, bury, buryLetter } from "../delivery/burial.ts";
import { invalidLetter, isUnreadable } from "../delivery/invalid-letter.ts";
import { admitPublication } from "../intake/admit-publication.ts";
import type { RepeatRules } from "../intake/repeat-rules.ts";
import { type BusMessage, readPublication } from "../queue/bus-message.ts";
import type { ObjectStore } from "../queue/object-store.ts";
import {
  isTooOld,
  type ReceivedMessage,
  receivesOf,
  unreadable,
} from "../queue/received-message.ts";
import type { AttemptStore } from "../state/attempts.ts";
import type { RepeatClaims } from "../state/repeat-claims.ts";
import type { TraceMemory } from "../state/traces.ts";
import { routeToEnd } from "./route-to-end.ts";

export interface RoutingHost extends BurialOptions {
  readonly objects: ObjectStore;
  readonly repeats: RepeatRules;
  readonly repeatClaims: RepeatClaims;
  readonly traces: TraceMemory<TraceChain>;
  readonly attempts: Pick<AttemptStore, "start" | "load" | "forget">;
}

/** What an event on the bus comes to: what is sent on, and what stands in the history. */
export interface RoutedMessage {
  readonly deliveries: readonly Delivery[];
  /** Null: nothing is recorded of it, since it was before. */
  readonly line: RecordedLine | null;
}

const NOTHING: RoutedMessage = { deliveries: [], line: null };

/**
 * Routes one message of the bus. What its source has published within its window is skipped; what
 * cannot be read, is too old, goes in a loop or fails to be routed becomes a dead letter. Rejects where it has to come again.
 */
export async function routeMessage(
  record: ReceivedMessage,
  router: Router,
  abandon: AbortSignal,
  host: RoutingHost,
): Promise<RoutedMessage> {
  const nowMs = router.now();
  let message: BusMessage;
  try {
    message = await readPublication(record.body, host.objects);
  } catch (error) {
    if (!isUnreadable(error) && !isTooOld(record, nowMs)) throw error;
    await bury(invalidLetter(unreadable(record), error, nowMs), host);
    return NOTHING;
  }
  const held = message.event;
  const { target, ...given } = offBus(held);
  const matcher = matchedOnce(router.matcher);
  const { messageId } = record;
  const admitted =
    target === null
      ? await admitPublication(message, { ...host, matcher, nowMs, messageId })
      : given;
  if (admitted === null) return NOTHING;
  const { event, ...publication } = admitted;
  const at = new Date(nowMs).toISOString();
  if (isTooOld(record, nowMs)) {
    const waited = "it waited on the bus for 13 days";
    await bury(unroutableLetter(event, waited, nowMs, "expired"), host);
    return { deliveries: [], line: { at, event } };
  }
  const loop = await loopOf(event, nowMs, host);
  if (loop !== null) {
    await bury(unroutableLetter(event, loop, nowMs), host);
    // Dropped on every route: a replay of a time range leaves it, one by its id does not.
    const dropped = matcher.match(event).map(({ name }) => name);
    return { deliveries: [], line: { at, event, dropped } };
  }
  const chosen: Router = {
    ...router,
    matcher: target === null ? matcher : matcherFor(target, matcher),
    onMissing: () => host.flow.count("missing"),
  };
  let ended: readonly EndedRoute[];
  try {
    const returned = receivesOf(record) > 1;
    ended = await routeToEnd(event, chosen, { returned, attempts: host.attempts });
  } catch (error) {
    if (abandon.aborted) throw draining();
    if (!hasCode(error, "UNROUTABLE")) throw error;
    await bury(unroutableLetter(event, `routing failed: ${messageOf(error)}`, nowMs), host);
    return { deliveries: [], line: { at, event } };
  }
  // Its transforms were cut short: what they seem to have dropped must come again.
  if (abandon.aborted) throw draining();
  await buryFaults(ended, nowMs, host);
  if (target?.route !== undefined) await forgetLetters(event, ended, host);
  const dropped = ended.flatMap((one) =>
    one.kind === "ended" && one.by === "drop" ? [one.route] : [],
  );
  return {
    deliveries: ended.flatMap((one) =>
      one.kind === "delivery" ? [{ ...one.delivery, ...publication }] : [],
    ),
    line: { at, event, ...(dropped.length > 0 && { dropped }) },
  };
}

/** What fails on a route ends the event there, and nowhere else. */
async function buryFaults(
  ended: readonly EndedRoute[],
  nowMs: number,
  host: RoutingHost,
): Promise<void> {
  for (const one of ended) {
    if (one.kind === "fault") await buryLetter(faultLetter(one, nowMs), host);
  }
}

/** A letter was replayed by routing it anew, and the route's transforms have ended it. */
async function forgetLetters(
  event: OrgLoopEvent,
  ended: readonly EndedRoute[],
  { deadLetters }: RoutingHost,
): Promise<void> {
  const ids = ended.flatMap((one) =>
    one.kind === "ended" ? [deliveryLetterId(event.id, one.route)] : [],
  );
  if (ids.length > 0) await deadLetters.remove(ids);
}

async function loopOf(
  event: OrgLoopEvent,
  nowMs: number,
  { traces, flow }: RoutingHost,
): Promise<string | null> {
  // A replay is what somebody asks for: never a loop.
  if ((event.replay ?? 0) > 0) return null;
  let check: LoopCheck | undefined;
  await traces.update(event.trace_id, (before) => {
    check = followTrace(before, event, nowMs);
    return check.chain;
  });
  const said = check === undefined ? null : loopEntry(check, event);
  if (said !== null) flow.log(said.entry);
  return said?.broken ?? null;
}

function draining(): OrgLoopError {
  return new OrgLoopError("DRAINING", "the function's time is over");
}
