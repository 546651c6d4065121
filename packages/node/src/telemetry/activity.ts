import type { DeadReason, Topology } from "@orgloop/sdk";

/** What happened on a route since the start. */
interface RouteActivity {
  matched: number;
  delivered: number;
  /** Dead letters. */
  failed: number;
  /** By its transforms: filtered out, duplicates. */
  dropped: number;
  lastMatchedMs: number | null;
}

/** What happened at a source since the start. */
interface SourceActivity {
  events: number;
  refused: number;
  /** Sent again, as it was published before. */
  repeats: number;
  errors: number;
  lastEventMs: number | null;
}

/**
 * Counts what the status and the metrics tell. One entry for each source and route of the topology,
 * never one for an event.
 */
export interface Activity {
  source(id: string): SourceActivity;
  route(name: string): RouteActivity;
  received(source: string, count: number, nowMs: number): void;
  refused(source: string, status: number): void;
  repeated(source: string): void;
  sourceFailed(source: string): void;
  matched(routes: readonly string[], nowMs: number): void;
  delivered(route: string, actor: string, durationMs: number): void;
  /** Its transforms had no use for it on these routes. */
  droppedBy(routes: readonly string[]): void;
  attemptFailed(route: string, actor: string, durationMs: number): void;
  /** An attempt failed, and another will follow. */
  retried(route: string, actor: string): void;
  /** A placeholder of a template led nowhere. */
  missing(route: string): void;
  /** A rejection in this process that nobody has handled. */
  unhandled(): void;
  /** A delivery had no room. */
  dropped(route: string, actor: string): void;
  deadLettered(route: string | null, reason: DeadReason): void;
  /** Dead letters written. */
  readonly deadLetters: number;
  /** Goes on with these sources and routes; those that stay keep their counts. */
  change(topology: Pick<Topology, "sources" | "routes">): void;
}

/** Told of everything that is counted: the metrics. */
export type ActivityListener = Pick<
  Activity,
  | "received"
  | "refused"
  | "repeated"
  | "sourceFailed"
  | "delivered"
  | "attemptFailed"
  | "retried"
  | "dropped"
  | "missing"
  | "unhandled"
  | "deadLettered"
>;

const newSource = (): SourceActivity => ({
  events: 0,
  refused: 0,
  repeats: 0,
  errors: 0,
  lastEventMs: null,
});

const newRoute = (): RouteActivity => ({
  matched: 0,
  delivered: 0,
  failed: 0,
  dropped: 0,
  lastMatchedMs: null,
});

/** What is counted by the metrics alone. */
const passedOn = ({ attemptFailed, retried, dropped, missing, unhandled }: ActivityListener) => ({
  attemptFailed,
  retried,
  dropped,
  missing,
  unhandled,
});

export function countActivity({ sources, routes }: Topology, listener: ActivityListener): Activity {
  let deadLetters = 0;
  let bySource = new Map(sources.map(({ id }) => [id, newSource()]));
  let byRoute = new Map(routes.map(({ name }) => [name, newRoute()]));
  // Injected events may name a source that the topology does not have: these are counted together.
  const otherSources = newSource();
  const source = (id: string): SourceActivity => bySource.get(id) ?? otherSources;
  const route = (name: string): RouteActivity => byRoute.get(name) ?? newRoute();
  return {
    source,
    route,
    received(id, count, nowMs) {
      const counts = source(id);
      counts.events += count;
      counts.lastEventMs = nowMs;
      listener.received(bySource.has(id) ? id : "(other)", count, nowMs);
    },
    refused(id, status) {
      source(id).refused += 1;
      listener.refused(bySource.has(id) ? id : "(other)", status);
    },
    repeated(id) {
      source(id).repeats += 1;
      listener.repeated(bySource.has(id) ? id : "(other)");
    },
    sourceFailed(id) {
      source(id).errors += 1;
      listener.sourceFailed(id);
    },
    matched(names, nowMs) {
      for (const name of names) {
        const counts = route(name);
        counts.matched += 1;
        counts.lastMatchedMs = nowMs;
      }
    },
    delivered(name, actor, durationMs) {
      route(name).delivered += 1;
      listener.delivered(name, actor, durationMs);
    },
    droppedBy(names) {
      for (const name of names) route(name).dropped += 1;
    },
    ...passedOn(listener),
    get deadLetters() {
      return deadLetters;
    },
    deadLettered(name, reason) {
      deadLetters += 1;
      if (name !== null) route(name).failed += 1;
      listener.deadLettered(name, reason);
    },
    change({ sources, routes }) {
      bySource = new Map(sources.map(({ id }) => [id, bySource.get(id) ?? newSource()]));
      byRoute = new Map(routes.map(({ name }) => [name, byRoute.get(name) ?? newRoute()]));
    },
  };
}

/** One event as `GET /api/events` tells of it (v1alpha1, section 10). */
interface RoutedRecord {
  readonly event_id: string;
  readonly timestamp: string;
  readonly source: string;
  readonly type: string;
  readonly matched_routes: readonly string[];
  readonly sop_files: readonly string[];
  readonly actors: readonly string[];
  readonly processing_ms: number;
  readonly module: string;
  readonly trace_id: string;
}

interface EventQuery {
  /** ISO 8601; inclusive. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly source?: string | undefined;
  readonly route?: string | undefined;
  readonly limit?: number | undefined;
}

/** The last events that were routed. */
export interface RecentEvents {
  add(record: RoutedRecord): void;
  /** Newest last; with `limit` the newest that many. */
  query(query: EventQuery): readonly RoutedRecord[];
}

/** A ring of `capacity` records (v1alpha1: 1000). */
export function recentEvents(capacity = 1_000): RecentEvents {
  const ring: RoutedRecord[] = [];
  let next = 0;
  return {
    add(record) {
      ring[next] = record;
      next = (next + 1) % capacity;
    },
    query({ from, to, source, route, limit }) {
      const fromMs = from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(from);
      const toMs = to === undefined ? Number.POSITIVE_INFINITY : Date.parse(to);
      const found = [...ring.slice(next), ...ring.slice(0, next)].filter((record) => {
        const atMs = Date.parse(record.timestamp);
        return (
          atMs >= fromMs &&
          atMs <= toMs &&
          (source === undefined || record.source === source) &&
          (route === undefined || record.matched_routes.includes(route))
        );
      });
      return limit === undefined ? found : found.slice(Math.max(0, found.length - limit));
    },
  };
}
