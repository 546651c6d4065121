import {
  type DeadLetter,
  type DeadReason,
  messageOf,
  OrgLoopError,
  type OrgLoopEvent,
  type RouteSpec,
} from "@orgloop/sdk";
import { unroutableLetter } from "../dead-letters/dead-letter.ts";
import { eventAndTarget, matcherFor } from "../intake/publication.ts";
import type { Deaths } from "../ports/deaths.ts";
import { skippedEntry } from "../ports/log-entries.ts";
import { brokenLoop, type LoopPorts } from "./guards/loop-guard.ts";
import { type Survived, surviveRouting } from "./guards/poison-guard.ts";
import type { Matcher, OnFault } from "./match/compile-matcher.ts";
import { type Router, routeEvent } from "./route-event.ts";
import type { EndedRoute, LanedRoute } from "./routed-route.ts";

/** An event that may be routed. */
export interface Claimed {
  readonly event: OrgLoopEvent;
  /** Which publication of it this is, where the host tells their deliveries apart by it. */
  readonly publication?: string;
}

/** What a host brings to one event from its bus. */
export interface EventPorts extends LoopPorts {
  readonly router: Router;
  /**
   * Claims an event for its publication, unless it is a replay; null: it is a repeat. Absent: the
   * host has found repeats before its bus had them.
   */
  readonly claim?: (event: OrgLoopEvent) => Promise<Claimed | null>;
  /** Why it is too old for this bus; null: it is not. */
  readonly tooOld: string | null;
  /** It was handed over before: it may be done with, and may be what ended the host. */
  readonly returned: boolean;
  /** Whether the event was given up as a whole before, and died before the bus heard of it. */
  readonly wasGivenUp: (event: OrgLoopEvent) => Promise<boolean>;
  readonly deaths: Deaths;
  /** Routes that were settled before. */
  readonly settled: ReadonlySet<string>;
  /** Resolves when the letter is durable; rejects where the event has to come again. */
  readonly writeDeadLetter: (letter: DeadLetter) => Promise<void>;
  /** Aborted when the host gives up on what is in flight. */
  readonly abandon: AbortSignal;
  /** Ms since the epoch, as people read it. */
  readonly wall: () => number;
}

/** What an event on the bus comes to. */
export type HandledEvent =
  /** A repeat, or done with before: nothing is delivered, nothing recorded. */
  | { readonly kind: "known" }
  /**
   * It is one dead letter, whatever routes it would have taken; `dropped`: what a replay of a time
   * range leaves out.
   */
  | { readonly kind: "given up"; readonly event: OrgLoopEvent; readonly dropped: readonly string[] }
  | RoutedToEnd;

/** What is to be done on each of its routes. */
export interface RoutedToEnd extends Claimed {
  readonly kind: "routed";
  readonly routes: readonly (EndedRoute | LanedRoute)[];
  /** Names of all routes that matched, settled before or not. */
  readonly matched: readonly string[];
  /** A replay of one dead letter: of its route alone. */
  readonly onlyRoute?: string;
}

const KNOWN: HandledEvent = { kind: "known" };

/**
 * One event from the bus, the same on every host: claim → done before → expiry → loop → poison →
 * route. Rejects where it has to come again: a store failed, or the host ends (`DRAINING`).
 */
export async function handleEvent(
  published: OrgLoopEvent,
  ports: EventPorts,
): Promise<HandledEvent> {
  const { event: named, target } = eventAndTarget(published);
  const claimed =
    target === null && ports.claim !== undefined ? await ports.claim(named) : { event: named };
  if (claimed === null) return KNOWN;
  const { event } = claimed;
  if (ports.returned && (await ports.wasGivenUp(event))) {
    ports.log(skippedEntry(event));
    return KNOWN;
  }
  if (ports.tooOld !== null) return giveUp(event, ports.tooOld, ports, { reason: "expired" });

  const { matcher } = ports.router;
  const loop = await brokenLoop(event, ports);
  if (loop !== null) {
    // On every route: a replay of a time range leaves it out, one by its id does not.
    const dropped = matcher.match(event).map(({ name }) => name);
    return giveUp(event, loop, ports, { dropped });
  }

  const router: Router =
    target === null ? ports.router : { ...ports.router, matcher: matcherFor(target, matcher) };
  const { routed, failure } = await route(event, router, ports);
  // Cut short: what its transforms seem to have dropped, or failed to do, must come again.
  if (ports.abandon.aborted) throw new OrgLoopError("DRAINING", "the host is ending");
  if (routed === undefined) {
    const error = `routing failed: ${failure}`;
    const { id: event_id, trace_id, source } = event;
    ports.log({ phase: "system.error", event_id, trace_id, source, error });
    return giveUp(event, error, ports);
  }
  const only = target?.route;
  return { kind: "routed", ...claimed, ...routed, ...(only !== undefined && { onlyRoute: only }) };
}

/** An event that makes routing itself fail would come back for ever, and hold up its source. */
async function route(event: OrgLoopEvent, router: Router, ports: EventPorts): Promise<Survived> {
  if (ports.returned) {
    return surviveRouting(event, router, ports.settled, ports.deaths);
  }
  try {
    return { routed: await routeEvent(event, router, ports.settled) };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

async function giveUp(
  event: OrgLoopEvent,
  why: string,
  { writeDeadLetter, wall }: EventPorts,
  {
    reason,
    dropped = [],
  }: { readonly reason?: DeadReason; readonly dropped?: readonly string[] } = {},
): Promise<HandledEvent> {
  await writeDeadLetter(unroutableLetter(event, why, wall(), reason));
  return { kind: "given up", event, dropped };
}

/** A matcher that answers for the event before without looking again. */
export function matchedOnce({ match }: Matcher): Matcher {
  let before: OrgLoopEvent | undefined;
  let routes: readonly RouteSpec[] = [];
  let faults: Parameters<OnFault>[] = [];
  return {
    match(event, onFault) {
      if (event !== before) {
        faults = [];
        routes = match(event, (...fault) => void faults.push(fault));
      }
      before = event;
      for (const fault of faults) onFault?.(...fault);
      return routes;
    },
  };
}
