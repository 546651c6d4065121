import {
  type Deaths,
  type Delivery,
  deliveryLetterId,
  type EndedRoute,
  faultLetter,
  followTrace,
  handleEvent,
  isUnroutable,
  type LanedRoute,
  type LoopCheck,
  matchedOnce,
  type RoutedToEnd,
  type Router,
  type TraceChain,
} from "@orgloop/engine";
import { NO_ROUTES, OrgLoopError, type OrgLoopEvent } from "@orgloop/sdk";
import {
  type DeadLetterWriterOptions,
  invalidLetter,
  isUnreadable,
  writeDeadLetter,
  writeLetter,
} from "../delivery/write-dead-letter.ts";
import { admitPublication, type RepeatRules } from "../intake/admit-publication.ts";
import { regroupedBy } from "../intake/regroup-sources.ts";
import { type BusMessage, readPublication } from "../queue/bus-message.ts";
import { claimCheckOf, type ObjectStore } from "../queue/message-body.ts";
import {
  isTooOld,
  type ReceivedMessage,
  receivesOf,
  unreadable,
} from "../queue/received-message.ts";
import {
  type AcceptedDeliveries,
  hashOfRoute,
  type RoutedOnce,
} from "../state/accepted-deliveries.ts";
import type { AttemptStore } from "../state/attempts.ts";
import type { RepeatClaims } from "../state/claims.ts";
import type { TraceMemory } from "../state/traces.ts";
import type { HistoryLine } from "./event-history.ts";

export interface RoutingPorts extends DeadLetterWriterOptions {
  readonly objects: ObjectStore;
  readonly repeats: RepeatRules;
  readonly repeatClaims: RepeatClaims;
  readonly accepted: AcceptedDeliveries;
  readonly traces: TraceMemory<TraceChain>;
  readonly attempts: Pick<AttemptStore, "start" | "load" | "forget">;
}

/** What an event on the bus comes to: what is sent on, and what stands in the history. */
export interface RoutedMessage {
  /** Without those that were accepted when it came before. */
  readonly deliveries: readonly Delivery[];
  /** Null: nothing is recorded of it, since it was before. */
  readonly line: HistoryLine | null;
  /** What its deliveries are remembered under, where it has to come again. */
  readonly once: RoutedOnce | null;
  /** It is the mark of this source: what was before it on the bus is done with. */
  readonly regrouped?: string;
}

const NOTHING: RoutedMessage = { deliveries: [], line: null, once: null };

/**
 * Routes one message of the bus: the engine tells its story, this reads the message and runs what
 * is slow. What cannot be read becomes a dead letter. Rejects where it has to come again.
 */
export async function routeMessage(
  record: ReceivedMessage,
  router: Router,
  abandon: AbortSignal,
  host: RoutingPorts,
): Promise<RoutedMessage> {
  const regrouped = regroupedBy(record.body);
  if (regrouped !== null) return { ...NOTHING, regrouped };
  const nowMs = router.now();
  const tooOld = isTooOld(record, nowMs);
  let message: BusMessage;
  try {
    message = await readPublication(record.body, host.objects);
  } catch (error) {
    if (!isUnreadable(error) && !tooOld) throw error;
    await writeDeadLetter(invalidLetter(unreadable(record), error, nowMs), host);
    return NOTHING;
  }
  const { messageId } = record;
  const returned = receivesOf(record) > 1;
  const matcher = matchedOnce(router.matcher);
  const deaths = deathsOf(host.attempts);
  const handled = await handleEvent(message.event, {
    router: { ...router, matcher, onMissing: () => host.flow.count("missing") },
    claim: (event) =>
      admitPublication({ ...message, event }, { ...host, matcher, nowMs, messageId }),
    tooOld: tooOld ? "it waited on the bus for 13 days" : null,
    returned,
    settled: NO_ROUTES,
    wasGivenUp: (event) => wasGivenUp(event, host),
    followTrace: (event) => followShared(event, nowMs, host),
    deaths,
    writeDeadLetter: (letter) => writeDeadLetter(letter, host),
    log: host.flow.log,
    abandon,
    wall: () => nowMs,
  });
  if (handled.kind === "known") return NOTHING;
  if (handled.kind === "given up") {
    return { ...NOTHING, line: lineOf(handled, record, message, nowMs) };
  }

  return endRoutes(
    handled,
    { record, message, nowMs, deaths: returned ? deaths : null },
    abandon,
    host,
  );
}

/** A message of the bus that is being routed. */
interface Routing {
  readonly record: ReceivedMessage;
  readonly message: BusMessage;
  readonly nowMs: number;
  /** Null: it has not come back. */
  readonly deaths: Deaths | null;
}

/** Runs what is slow, and tells what ended from what is to be delivered. */
async function endRoutes(
  { event, routes, onlyRoute, publication }: RoutedToEnd,
  { record, message, nowMs, deaths }: Routing,
  abandon: AbortSignal,
  host: RoutingPorts,
): Promise<RoutedMessage> {
  const once = { eventId: event.id, replay: event.replay ?? 0, publication };
  const accepted = mayHaveSent(record, message, nowMs) ? await host.accepted.load(once) : NO_ROUTES;
  const ended = await runLanes(event, routes, deaths);
  // Its transforms were cut short: what they seem to have dropped must come again.
  if (abandon.aborted) throw new OrgLoopError("DRAINING", "the function's time is over");
  await writeFaultLetters(ended, nowMs, host);
  if (onlyRoute !== undefined) await forgetLetters(event, ended, host);
  const dropped = ended.flatMap((one) =>
    one.kind === "ended" && one.by === "drop" ? [one.route] : [],
  );
  return {
    deliveries: ended.flatMap((one) =>
      one.kind === "delivery" && !accepted.has(hashOfRoute(one.delivery.route))
        ? [{ ...one.delivery, ...(publication !== undefined && { publication }) }]
        : [],
    ),
    line: lineOf({ event, dropped }, record, message, nowMs),
    once,
  };
}

/** Deaths of the functions, as the engine asks for them. */
export function deathsOf({ start, forget }: Pick<AttemptStore, "start" | "forget">): Deaths {
  return { host: "function", begin: async (key) => (await start(key)) - 1, end: forget };
}

/** SQS forgets for 5 minutes what was sent twice: until then it need not be asked for. */
const SURELY_KNOWN_MS = 240_000;

/**
 * Whether the event may have been routed before: it was received before, or is on the bus for so
 * long that it may have been moved there by hand, as a new message.
 */
function mayHaveSent(record: ReceivedMessage, { publication }: BusMessage, nowMs: number): boolean {
  if (receivesOf(record) > 1) return true;
  const atMs = publication?.at_ms;
  return atMs === undefined || nowMs - atMs > SURELY_KNOWN_MS;
}

function lineOf(
  { event, dropped }: { readonly event: OrgLoopEvent; readonly dropped: readonly string[] },
  { body, messageId }: ReceivedMessage,
  { publication }: BusMessage,
  nowMs: number,
): HistoryLine {
  const key = claimCheckOf(body);
  return {
    at: new Date(nowMs).toISOString(),
    ...(key === null ? { event } : { claimed: { key, id: event.id } }),
    ...(dropped.length > 0 && { dropped }),
    publication: publication?.id ?? messageId,
  };
}

/** What fails on a route ends the event there, and nowhere else. */
async function writeFaultLetters(
  ended: readonly EndedRoute[],
  nowMs: number,
  host: RoutingPorts,
): Promise<void> {
  for (const one of ended) {
    if (one.kind === "fault") await writeLetter(faultLetter(one, nowMs), host);
  }
}

/** A letter was replayed by routing it anew, and the route's transforms have ended it. */
async function forgetLetters(
  event: OrgLoopEvent,
  ended: readonly EndedRoute[],
  { deadLetters }: RoutingPorts,
): Promise<void> {
  const ids = ended.flatMap((one) =>
    one.kind === "ended" ? [deliveryLetterId(event.id, one.route)] : [],
  );
  if (ids.length > 0) await deadLetters.remove(ids);
}

async function wasGivenUp(event: OrgLoopEvent, { deadLetters, flow }: RoutingPorts) {
  const was = await isUnroutable(event, deadLetters);
  if (was) flow.count("skipped");
  return was;
}

/** Follows the trace in the memory that the functions share. */
async function followShared(
  event: OrgLoopEvent,
  nowMs: number,
  { traces }: RoutingPorts,
): Promise<LoopCheck> {
  const checks: LoopCheck[] = [];
  await traces.update(event.trace_id, (before) => {
    const check = followTrace(before, event, nowMs);
    checks.push(check);
    return check.chain;
  });
  // The last try is the one that was written.
  return checks.at(-1) as LoopCheck;
}

/**
 * Runs the slow transforms of an event to their end, its routes side by side. `deaths`: of one that
 * has come back, null of another; after a death they run one after the other, so that only the
 * route that kills the function is given up (the engine counts for each).
 */
export async function runLanes(
  { id }: Pick<OrgLoopEvent, "id">,
  routes: readonly (EndedRoute | LanedRoute)[],
  deaths: Deaths | null,
): Promise<readonly EndedRoute[]> {
  if (deaths === null || !routes.some(isLaned)) return sideBySide(routes);
  const key = `transforming ${id}`;
  const died = await deaths.begin(key);
  try {
    return died === 0 ? await sideBySide(routes) : await inTurn(routes);
  } finally {
    await deaths.end(key);
  }
}

function sideBySide(routes: readonly (EndedRoute | LanedRoute)[]): Promise<readonly EndedRoute[]> {
  return Promise.all(routes.map((routed) => (isLaned(routed) ? routed.run() : routed)));
}

async function inTurn(
  routes: readonly (EndedRoute | LanedRoute)[],
): Promise<readonly EndedRoute[]> {
  const ended: EndedRoute[] = [];
  for (const routed of routes) ended.push(isLaned(routed) ? await routed.run() : routed);
  return ended;
}

function isLaned(routed: EndedRoute | LanedRoute): routed is LanedRoute {
  return routed.kind === "in lane";
}
