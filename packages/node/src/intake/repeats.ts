import {
  ANY_BODY,
  formatMark,
  type OpenEntry,
  type Published,
  parseMark,
  publicationAgain,
  publicationOf,
  type RepeatMark,
  type RepeatPolicy,
  type RepeatTable,
  randomHex,
  repeatEntry,
  repeatMark,
  repeatPolicy,
  reusedEntry,
  reusedId,
} from "@orgloop/engine";
import type { OrgLoopEvent } from "@orgloop/sdk";
import type { Clock } from "../process/clock.ts";
import type { Activity } from "../telemetry/activity.ts";

/** An event that wants in. */
export interface Arrival {
  readonly event: OrgLoopEvent;
  /** `bodyHash` of what was sent, or `ANY_BODY`; null: nobody gave its id, it repeats nothing. */
  readonly body: string | null;
}

/** What became of arrivals. */
export interface Admitted {
  /** Each under the id that it goes by, in their order; repeats, too. */
  readonly events: readonly OrgLoopEvent[];
  /** Ids of those that were published before, and are not routed again. */
  readonly repeats: readonly string[];
}

/** What a process remembers over its restarts. */
export interface RepeatMemory {
  readonly table: RepeatTable;
  /** Names the life of a source: another one after {@link RepeatMemory.forget}. */
  saltOf(source: string): string;
  /** The bus forgets it from now on: kept in its stead. */
  keep(mark: RepeatMark): void;
  /** All that the source has sent is new from now on; resolves when that is durable. */
  forget(source: string): Promise<void>;
}

/** What a configuration says of repeats. */
export interface RepeatRules {
  /** By source. Of one that has just been removed what it still sends meets the default. */
  readonly repeatPolicies: ReadonlyMap<string, RepeatPolicy>;
  /** The longest window of any source, in ms; the default where there are no sources. */
  readonly longestRepeatMs: number;
}

export interface RepeatsOptions {
  readonly memory: RepeatMemory;
  /** Those of the configuration that runs now. */
  readonly rules: () => RepeatRules;
  readonly clock: Clock;
  readonly log: (entry: OpenEntry) => void;
  readonly activity: Pick<Activity, "repeated">;
}

/** Knows again what a source has published within its window (`docs/configuration.md`, Repeats). */
export interface Repeats {
  /**
   * Has `keep` publish what was not published before, and remembers it once that has resolved.
   * Whose id is being published by another waits for how that ends. Rejects with what `keep` said.
   */
  admit(
    arrivals: readonly Arrival[],
    keep: (publications: readonly Published[]) => Promise<void>,
  ): Promise<Admitted>;
  /** It was routed, and is being acked. */
  settled(published: Published): void;
  /** No route wanted it: a later one may. */
  unmatched(published: Published): void;
}

interface Verdict {
  readonly event: OrgLoopEvent;
  /** Null: it is not routed again. */
  readonly publication: Published | null;
}

/** What is remembered of an event once it is published. */
interface Claim {
  readonly mark: RepeatMark;
  /** The mark as its publication carries it. */
  readonly once: string;
}

export function repeats(options: RepeatsOptions): Repeats {
  const { memory } = options;
  const { table } = memory;
  const { judge, forgottenAt } = judgement(options);
  const inFlight = new Map<string, Promise<void>>();
  /**
   * Marks of these: an event may have been routed before its publisher hears that it is durable.
   */
  const publishing = new Set<string>();

  const othersAt = (ids: readonly string[]) => ids.flatMap((id) => inFlight.get(id) ?? []);

  return {
    async admit(arrivals, keep) {
      const named = arrivals.filter(({ body }) => body !== null).map(({ event }) => event.id);
      // Whoever is free judges and goes on before anybody else runs.
      while (inFlight.size > 0 && othersAt(named).length > 0) await Promise.all(othersAt(named));
      const mine = new Map<string, Claim>();
      const verdicts = arrivals.map((arrival) => judge(arrival, mine));
      const publications = verdicts.flatMap(({ publication }) => publication ?? []);
      const ended = Promise.withResolvers<void>();
      for (const { once } of mine.values()) publishing.add(once);
      if (mine.size > 0) for (const id of named) inFlight.set(id, ended.promise);
      try {
        if (publications.length > 0) await keep(publications);
        const forgotten = mine.size > 0 ? forgottenAt() : 0;
        for (const { mark, once } of mine.values()) {
          if (publishing.has(once)) table.add(mark, forgotten);
        }
      } finally {
        for (const { once } of mine.values()) publishing.delete(once);
        if (mine.size > 0) for (const id of named) inFlight.delete(id);
        ended.resolve();
      }
      return {
        events: verdicts.map(({ event }) => event),
        repeats: verdicts.flatMap(({ event, publication }) =>
          publication === null ? event.id : [],
        ),
      };
    },
    settled({ once }) {
      const mark = once === undefined ? null : parseMark(once);
      if (mark === null) return;
      table.add(mark, forgottenAt());
      memory.keep(mark);
    },
    unmatched({ once }) {
      if (once === undefined) return;
      publishing.delete(once);
      const mark = parseMark(once);
      if (mark !== null) table.delete(mark);
    },
  };
}

/** Says of arrivals what becomes of them. */
function judgement({ memory, rules, clock, log, activity }: RepeatsOptions) {
  const { table } = memory;

  const forgottenAt = (): number => Math.floor((clock.now() - rules().longestRepeatMs) / 1_000);

  /** Of a wall clock that was set back a mark may be of the future: its window begins now. */
  function remembered(mark: RepeatMark, windowMs: number): RepeatMark | null {
    const known = table.find(mark);
    if (known === null) return null;
    const isFresh = mark.at - known.at < windowMs / 1_000;
    if (isFresh && known.at <= mark.at) return known;
    table.delete(known);
    if (!isFresh) return null;
    table.add({ ...known, at: mark.at }, forgottenAt());
    return known;
  }

  function judge({ event, body }: Arrival, mine: Map<string, Claim>): Verdict {
    if (body === null) return { event, publication: event };
    const { windowMs, again } =
      rules().repeatPolicies.get(event.source) ?? repeatPolicy({}, {}, undefined);
    const look = (id: string) => {
      const mark = repeatMark(memory.saltOf(event.source), id, body, clock.now());
      return { mark, known: mine.get(id)?.mark ?? remembered(mark, windowMs) };
    };
    let named = event;
    let { mark, known } = look(event.id);
    if (known !== null && isReused(known, mark)) {
      named = { ...event, id: reusedId(event.id, body) };
      ({ mark, known } = look(named.id));
      if (known === null) log(reusedEntry(named, event.id));
    }
    if (known === null) {
      const once = formatMark(mark);
      mine.set(named.id, { mark, once });
      return { event: named, publication: publicationOf(named, once) };
    }
    log(repeatEntry(named, { again }));
    activity.repeated(event.source);
    return { event: named, publication: again ? publicationAgain(named, randomHex()) : null };
  }

  return { judge, forgottenAt };
}

const ANY = Number.parseInt(ANY_BODY.slice(0, 8), 16);

function isReused(known: RepeatMark, mark: RepeatMark): boolean {
  return known.body !== mark.body && known.body !== ANY && mark.body !== ANY;
}
