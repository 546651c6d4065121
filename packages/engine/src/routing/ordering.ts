import type { RouteSpec, SourceSpec } from "@orgloop/sdk";

/** By what the deliveries of a route are kept in order, and how many of them run at a time. */
export interface Ordering {
  /**
   * `key`: by the value at `path`; `connector`: by what the connector gives, else by source;
   * `source`, `route`: one lane of each; `none`: in no order.
   */
  readonly by: "key" | "connector" | "source" | "route" | "none";
  readonly path: string | null;
  /** Deliveries of the route that may run at a time; 1: one after the other. */
  readonly atOnce: number;
}

/** Connectors that give their events no ordering key of their own. */
const WITHOUT_KEY = /(?:^|connector-)(?:webhook|cron)$/;

/**
 * The ordering of a route whose events come from `source`: `order` and `delivery.key`, else the
 * source's `key`, else what its connector gives (`docs/configuration.md`, the ordering key).
 */
export function orderingOf(
  { order, key, concurrency }: Pick<RouteSpec["delivery"], "order" | "key" | "concurrency">,
  source: Pick<SourceSpec, "connector" | "key" | "config"> | undefined,
): Ordering {
  if (order === "none") return { by: "none", path: null, atOnce: concurrency };
  if (order === "route") return { by: "route", path: null, atOnce: 1 };
  const path = key ?? source?.key;
  if (path !== undefined) return { by: "key", path, atOnce: concurrency };
  const givesNone =
    source !== undefined &&
    WITHOUT_KEY.test(source.connector) &&
    source.config?.platform !== "github" &&
    source.config?.signature !== "github";
  return givesNone
    ? { by: "source", path: null, atOnce: 1 }
    : { by: "connector", path: null, atOnce: concurrency };
}

/** In words, e.g. `by payload.id: 16 at once, those of one value one after the other`. */
export function orderingText({ by, path, atOnce }: Ordering): string {
  const many = atOnce === 1 ? "one at a time" : `up to ${atOnce} at once`;
  const lanes = atOnce === 1 ? many : `${many}, those of one value one after the other`;
  switch (by) {
    case "none":
      return `in no order: ${many}`;
    case "route":
      return "all of the route in order: one at a time";
    case "source":
      return "by source, as there is no key: one at a time";
    case "key":
      return `by ${path}: ${lanes}`;
    case "connector":
      return `by what the connector gives, else by source: ${lanes}`;
  }
}
