import { type OrgLoopEvent, parseJson } from "@orgloop/sdk";

/** One line of the record. */
export interface RecordedLine {
  /** When it was routed, ISO 8601, UTC. */
  readonly at: string;
  readonly event: OrgLoopEvent;
  /** Routes on which a transform dropped it; absent: none. */
  readonly dropped?: readonly string[];
  /**
   * Which publication of the event it was, where the record may have it twice: then the second line
   * of it says nothing more.
   */
  readonly publication?: string;
}

/** Which recorded events are meant; an absent key lets all through. */
export interface RecordedQuery {
  readonly ids?: ReadonlySet<string>;
  /** ISO 8601: when the event was routed, both inclusive. */
  readonly since?: string;
  readonly until?: string;
  readonly source?: string;
}

/** A recorded event: where it stands, and how often it was replayed. */
export interface RecordedEvent<Place> {
  readonly id: string;
  readonly source: string;
  /** When it was routed, as in its line. */
  readonly at: string;
  readonly place: Place;
  replays: number;
}

export interface RecordedSelection<Place> {
  /** In the order of the record, up to its end: that tells of the replays. */
  add(line: RecordedLine, place: Place): void;
  found(): readonly RecordedEvent<Place>[];
}

/**
 * The events that `query` and `holds` let through, each once, in the order in which they were
 * routed. Memory holds where they stand, not the events.
 */
export function recordedSelection<Place>(
  { ids, since, until, source }: RecordedQuery,
  holds: (line: RecordedLine) => boolean = () => true,
): RecordedSelection<Place> {
  const from = since === undefined ? "" : new Date(since).toISOString();
  const to = until === undefined ? "~" : new Date(until).toISOString();
  const found = new Map<string, RecordedEvent<Place>>();
  return {
    add(line, place) {
      const { at, event } = line;
      const known = found.get(event.id);
      if (event.replay !== undefined) {
        if (known !== undefined) known.replays = Math.max(known.replays, event.replay);
        return;
      }
      if (known !== undefined || at < from || at > to) return;
      if (ids !== undefined && !ids.has(event.id)) return;
      if (source !== undefined && event.source !== source) return;
      if (!holds(line)) return;
      found.set(event.id, { id: event.id, source: event.source, at, place, replays: 0 });
    },
    // Lines that several have written stand in the order of their writing.
    found: () => [...found.values()].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)),
  };
}

/** A line of the record; null where it is not one (torn by a crash). */
export function parseRecorded(text: string): RecordedLine | null {
  try {
    const line = parseJson(text) as RecordedLine | null;
    const whole = typeof line?.at === "string" && typeof line.event?.id === "string";
    return whole ? line : null;
  } catch {
    return null;
  }
}
