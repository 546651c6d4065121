import {
  type DeadLetter,
  type DeadLetterSummary,
  type LogEntry,
  type OrgLoopEvent,
  summaryOf,
} from "@orgloop/sdk";
import type { RecordedLine } from "../replay/recorded-selection.ts";

/** What a host has kept of one event. */
export interface EventTraces {
  /** As its source gave it; null where only the log still knows of it. */
  readonly event: OrgLoopEvent | null;
  /**
   * What the log says of it, in its order, and what it says meanwhile of the breakers and rates of
   * its routes.
   */
  readonly entries: readonly LogEntry[];
  readonly letters: readonly DeadLetterSummary[];
  /** Each time that it was routed, by the record. */
  readonly routed: readonly RoutedTime[];
  /** It is on the bus, and not done with. */
  readonly isUnsettled: boolean;
}

export interface RoutedTime {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** 0, or which replay it was. */
  readonly replay: number;
  /** Routes on which a transform dropped it. */
  readonly dropped: readonly string[];
}

/** What is found of an id, or of the beginning of one. */
export interface FoundTraces {
  /** Ids that begin so, at most 20; one where the id is whole, or tells enough. */
  readonly ids: readonly string[];
  /** Of the one id; null where there is none, or more than one. */
  readonly traces: EventTraces | null;
}

/** What a host has found of ids that begin so; more does not matter. */
export interface Kept {
  readonly entries: readonly LogEntry[];
  readonly lines: readonly RecordedLine[];
  readonly letters: readonly DeadLetterSummary[];
  readonly unsettled: readonly OrgLoopEvent[];
  readonly letter: (id: string) => Promise<DeadLetter | null>;
}

const MAX_IDS = 20;

/** Puts together what a host has kept of the event whose id is `wanted`, or begins so. */
export async function foundTraces(wanted: string, kept: Kept): Promise<FoundTraces> {
  const { entries } = kept;
  const begins = (id: string) => id.startsWith(wanted);
  const lines = kept.lines.filter(({ event }) => begins(event.id));
  const letters = kept.letters.filter(({ event_id }) => begins(event_id));
  const unsettled = kept.unsettled.filter((event) => begins(event.id));
  const ids = new Set([
    ...entries.flatMap(({ event_id = "" }) => (begins(event_id) ? event_id : [])),
    ...lines.map(({ event }) => event.id),
    ...letters.map(({ event_id }) => event_id),
    ...unsettled.map(({ id }) => id),
  ]);
  const id = ids.has(wanted) ? wanted : ids.size === 1 ? ([...ids][0] as string) : null;
  if (id === null) return { ids: [...ids].sort().slice(0, MAX_IDS), traces: null };
  const mine = lines.filter(({ event }) => event.id === id);
  const waiting = unsettled.filter((event) => event.id === id);
  const own = letters.filter(({ event_id }) => event_id === id);
  const first = mine.find(({ event }) => event.replay === undefined) ?? mine[0];
  const traces = {
    event: first?.event ?? waiting[0] ?? (await untransformedOf(own, kept.letter)),
    entries: ofEvent(id, entries),
    letters: own.map(summaryOf),
    routed: mine.map(({ at, event: { replay = 0 }, dropped = [] }) => ({ at, replay, dropped })),
    isUnsettled: waiting.length > 0,
  };
  return { ids: [id], traces };
}

/** Its own, and those of the breakers and rates of its routes. */
function ofEvent(id: string, entries: readonly LogEntry[]): readonly LogEntry[] {
  const own = entries.filter(({ event_id }) => event_id === id);
  const routes = new Set(own.flatMap(({ route }) => route ?? []));
  return entries.filter(
    ({ event_id, route, phase }) =>
      event_id === id || (isOfRoute(phase) && route !== undefined && routes.has(route)),
  );
}

/** Whether entries of a phase tell of a route rather than of one event. */
export const isOfRoute = (phase: string): boolean =>
  phase.startsWith("circuit.") || phase === "rate.limited";

/** The event of a letter as its source gave it: what a transform made of it is another. */
async function untransformedOf(
  letters: readonly DeadLetterSummary[],
  read: Kept["letter"],
): Promise<OrgLoopEvent | null> {
  for (const { id } of letters) {
    const letter = await read(id);
    if (letter === null || (letter.route !== null && letter.untransformed !== true)) continue;
    const { replay: _, ...event } = letter.event;
    return event;
  }
  return null;
}
