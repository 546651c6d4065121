/** One event as `GET /api/events` tells of it (v1alpha1, section 10). */
export interface RoutedRecord {
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

export interface EventQuery {
  /** ISO 8601; inclusive. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly source?: string | undefined;
  readonly route?: string | undefined;
  readonly limit?: number | undefined;
}

/** The last events that were routed. */
export interface EventHistory {
  add(record: RoutedRecord): void;
  /** Newest last; with `limit` the newest that many. */
  query(query: EventQuery): readonly RoutedRecord[];
}

/** A ring of `capacity` records (v1alpha1: 1000). */
export function eventHistory(capacity = 1_000): EventHistory {
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
