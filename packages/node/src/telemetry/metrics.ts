import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { OpenPlugins } from "../plugins/open-plugins.ts";
import type { ActivityListener } from "./activity.ts";
import type { ActorStatus, RouteStatus, SourceStatus } from "./status.ts";

/** What the gauges read when they are asked. */
export interface MetricsReadings {
  readonly uptimeSeconds: () => number;
  readonly backlog: () => number;
  readonly sources: () => readonly SourceStatus[];
  readonly actors: () => readonly ActorStatus[];
  readonly routes: () => readonly RouteStatus[];
  readonly deadLetters: () => number;
}

/** What counts as it happens. */
export interface EventCounters {
  readonly registry: Registry;
  readonly listener: ActivityListener;
}

export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
}

const SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2, 10, 30];

/**
 * Prometheus metrics: v1alpha1's names (section 10) and what else is worth watching. Labels name
 * sources, routes and actors, never an event.
 */
export function metrics({ registry }: EventCounters, readings: MetricsReadings): Metrics {
  addGauges(readings, [registry]);
  return { contentType: registry.contentType, text: () => registry.metrics() };
}

/** `current`: the plug-ins that run now; those that are gone count as `unknown`. */
export function eventCounters(
  current: () => { readonly plugins: Pick<OpenPlugins, "sources" | "actors"> },
): EventCounters {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counted = counters(registry);
  const { received, refused, repeated, connectorErrors } = counted;
  const connectorOf = (kind: "sources" | "actors", id: string): string =>
    current().plugins[kind].get(id)?.package ?? "unknown";
  return {
    registry,
    listener: {
      received: (source, count) => received.inc({ source }, count),
      refused: (source, status) => refused.inc({ source, status: String(status) }),
      repeated: (source) => repeated.inc({ source }),
      sourceFailed: (source) => connectorErrors.inc({ connector: connectorOf("sources", source) }),
      delivered(route, actor, durationMs) {
        counted.routed.inc({ route, connector: connectorOf("actors", actor) });
        counted.processing.observe({ route }, durationMs / 1_000);
      },
      attemptFailed: (_route, actor) =>
        connectorErrors.inc({ connector: connectorOf("actors", actor) }),
      retried: (route, actor) => counted.retries.inc({ route, actor }),
      dropped: (route, actor) => counted.dropped.inc({ route, actor }),
      missing: (route) => counted.missing.inc({ route }),
      unhandled: () => counted.unhandled.inc(),
      deadLettered: (_route, reason) => counted.deadLetters.inc({ reason }),
    },
  };
}

/** Help texts and labels of the counters, by name without `orgloop_` and `_total`. */
const COUNTERS = {
  events_routed: [
    "Deliveries that succeeded, by route and the actor's connector",
    "route",
    "connector",
  ],
  connector_errors: ["Polls and delivery attempts that failed, by connector", "connector"],
  events_received: ["Events that are durable on the bus, by source", "source"],
  webhooks_refused: [
    "Webhook requests that were refused, by source and HTTP status",
    "source",
    "status",
  ],
  source_repeats: ["Events that their source had published before, by source", "source"],
  dead_letters: ["Dead letters written, by reason", "reason"],
  delivery_retries: [
    "Attempts that failed and are followed by another, by route and actor",
    "route",
    "actor",
  ],
  deliveries_dropped: [
    "Deliveries without room in their actor's queue, by route and actor",
    "route",
    "actor",
  ],
  unhandled_rejections: [
    "Rejections in this process that no plug-in, nor anybody else, has handled",
  ],
  template_missing: ["Placeholders that led nowhere in their event, by route", "route"],
} as const;

function counters(registry: Registry) {
  const registers = [registry];
  const counter = (key: keyof typeof COUNTERS): Counter => {
    const [help, ...labelNames] = COUNTERS[key];
    return new Counter({ name: `orgloop_${key}_total`, help, labelNames, registers });
  };
  return {
    routed: counter("events_routed"),
    processing: new Histogram({
      name: "orgloop_event_processing_seconds",
      help: "Time of one delivery attempt that succeeded, by route",
      labelNames: ["route"],
      buckets: SECONDS,
      registers,
    }),
    connectorErrors: counter("connector_errors"),
    received: counter("events_received"),
    refused: counter("webhooks_refused"),
    repeated: counter("source_repeats"),
    deadLetters: counter("dead_letters"),
    retries: counter("delivery_retries"),
    dropped: counter("deliveries_dropped"),
    unhandled: counter("unhandled_rejections"),
    missing: counter("template_missing"),
  };
}

const CIRCUITS = ["closed", "half_open", "open"];

/** They are read when they are asked for. */
function addGauges(readings: MetricsReadings, registers: Registry[]): void {
  const { uptimeSeconds, backlog, sources, actors, routes, deadLetters } = readings;
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  /** A value for each item; what is gone is not shown. */
  const gaugeBy = (
    label: "actor" | "route",
    name: string,
    help: string,
    read: () => readonly (readonly [item: string, value: number])[],
  ) =>
    new Gauge<string>({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset();
        for (const [item, value] of read()) this.set({ [label]: item }, value);
      },
    });
  gauge("orgloop_uptime_seconds", "Since the process started", uptimeSeconds);
  gauge(
    "orgloop_connected_sources",
    "Sources that run and are not held by their circuit breaker",
    () => sources().filter(({ status }) => status !== "unhealthy").length,
  );
  gauge("orgloop_backlog_events", "Events on the bus that are not done with", backlog);
  gaugeBy("actor", "orgloop_actor_queued", "Deliveries that wait, by actor", () =>
    actors().map(({ id, queued }) => [id, queued]),
  );
  gaugeBy("actor", "orgloop_actor_in_flight", "Delivery attempts under way, by actor", () =>
    actors().map(({ id, in_flight }) => [id, in_flight]),
  );
  gaugeBy("actor", "orgloop_actor_queue_depth", "Deliveries that may wait, by actor", () =>
    actors().map(({ id, queue_depth }) => [id, queue_depth]),
  );
  gaugeBy(
    "route",
    "orgloop_route_circuit",
    "The route's breaker: 0 closed, 1 half open, 2 open",
    () => routes().map(({ name, circuit }) => [name, CIRCUITS.indexOf(circuit)]),
  );
  gauge("orgloop_dead_letters", "Dead letters that are kept", deadLetters);
}
