import {
  ANY_BODY,
  type Matcher,
  type RepeatPolicy,
  repeatEntry,
  repeatPolicy,
  reusedEntry,
  reusedId,
} from "@orgloop/engine";
import type { Duration, OrgLoopEvent, Topology } from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import type { BusMessage } from "../queue/bus-message.ts";
import type { RepeatClaims } from "../state/claims.ts";
import { epochOf, type SourceEpochs } from "../state/source-epochs.ts";

/** What a Topology says of repeats, as the router asks it. */
export interface RepeatRules {
  readonly policyOf: (source: string) => RepeatPolicy;
  /** How often a source began anew. */
  readonly epochOf: (source: string) => number;
}

export interface RepeatRulesOptions {
  readonly topology: Pick<Topology, "sources" | "defaults">;
  /** `connectorRepeatWindows` of its sources. Default: none of them says. */
  readonly windows?: Readonly<Record<string, Duration>> | undefined;
  /** Default: no source ever began anew. */
  readonly lives?: SourceEpochs | undefined;
}

/** Throws `INVALID_DURATION`. */
export function repeatRules(options: RepeatRulesOptions): RepeatRules {
  const { topology, windows = {}, lives = {} } = options;
  const { sources, defaults } = topology;
  const policies = new Map(
    sources.map((source) => [source.id, repeatPolicy(source, defaults, windows[source.connector])]),
  );
  const numbers = new Map(sources.map((source) => [source.id, epochOf(lives, source)]));
  return {
    // Of a source that has just gone, what is still on the bus meets the defaults.
    policyOf: (id) => policies.get(id) ?? repeatPolicy({}, defaults, undefined),
    epochOf: (id) => numbers.get(id) ?? 0,
  };
}

interface AdmitPublicationOptions {
  readonly repeats: RepeatRules;
  readonly repeatClaims: RepeatClaims;
  readonly matcher: Matcher;
  readonly flow: FlowLog;
  readonly nowMs: number;
  /** SQS's: what a message of before there were publications is known by. */
  readonly messageId: string;
}

/** What is to be routed. */
interface AdmittedPublication {
  readonly event: OrgLoopEvent;
  /**
   * Set where the event may have been routed before: its deliveries are others than those of
   * another publication.
   */
  readonly publication?: string;
}

/**
 * Whether the first publication of an event, or one more, is to be routed; null: it is a repeat
 * (docs/decisions/0003), which is counted and logged. The same publication that comes back passes.
 * An event that no route wants is not remembered.
 */
export async function admitPublication(
  { event, publication }: BusMessage,
  options: AdmitPublicationOptions,
): Promise<AdmittedPublication | null> {
  const { matcher, messageId } = options;
  if (publication === null) return claimed(event, { id: messageId }, options);
  const { id, kind, body } = publication;
  if (kind !== "first" || body === undefined) return { event, publication: id };
  let isWanted = false;
  const routes = matcher.match(event, () => {
    isWanted = true;
  });
  if (routes.length === 0 && !isWanted) return { event };
  return claimed(event, { id, body }, options);
}

async function claimed(
  event: OrgLoopEvent,
  { id, body }: { readonly id: string; readonly body?: string },
  options: AdmitPublicationOptions,
): Promise<AdmittedPublication | null> {
  const { repeats, repeatClaims, flow, nowMs } = options;
  const { windowMs, again } = repeats.policyOf(event.source);
  const life = repeats.epochOf(event.source);
  const claim = (eventId: string) =>
    repeatClaims.claim({
      eventId: life === 0 ? eventId : `${eventId} ${life}`,
      publication: id,
      ...(body !== undefined && { body }),
      windowMs,
      nowMs,
    });
  let named = event;
  let holder = await claim(event.id);
  if (holder !== null && body !== undefined && isOther(holder.body, body)) {
    named = { ...event, id: reusedId(event.id, body) };
    holder = await claim(named.id);
    if (holder === null) flow.log(reusedEntry(named, event.id));
  }
  if (holder === null) return { event: named };
  flow.log(repeatEntry(named, { again }));
  flow.count("repeats");
  return again ? { event: named, publication: id } : null;
}

function isOther(held: string | undefined, body: string): boolean {
  return held !== undefined && held !== body && held !== ANY_BODY && body !== ANY_BODY;
}
