import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
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
  /** The connector of a source or actor; undefined where it is gone. */
  readonly connectorOf: (kind: "source" | "actor", id: string) => string | undefined;
}

export interface Metrics {
  readonly listener: ActivityListener;
  readonly contentType: string;
  text(): Promise<string>;
}

const SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2, 10, 30];

/** Prometheus metrics: v1alpha1's names (section 10) and what else is worth watching. Labels name sources, routes, actors: never an event. */
export function metrics(readings: MetricsReadings): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const registers = [register];
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers });
  const routed = counter(
    "orgloop_events_routed_total",
    "Deliveries that succeeded, by route and the actor's connector",
    "route",
    "connector",
  );
  const processing = new Histogram({
    name: "orgloop_event_processing_seconds",
    help: "Time of one delivery attempt that succeeded, by route",
    labelNames: ["route"],
    buckets: SECONDS,
    registers,
  });
  const connectorErrors = counter(
    "orgloop_connector_errors_total",
    "Polls and delivery attempts that failed, by connector",
    "connector",
  );
  const received = counter(
    "orgloop_events_received_total",
    "Events that are durable on the bus, by source",
    "source",
  );
  const refused = counter(
    "orgloop_webhooks_refused_total",
    "Webhook requests that were refused, by source and HTTP status",
    "source",
    "status",
  );
  const repeated = counter(
    "orgloop_source_repeats_total",
    "Events that their source had published before, by source",
    "source",
  );
  const deadLetters = counter(
    "orgloop_dead_letters_total",
    "Dead letters written, by reason",
    "reason",
  );
  const retries = counter(
    "orgloop_delivery_retries_total",
    "Attempts that failed and are followed by another, by route and actor",
    "route",
    "actor",
  );
  const dropped = counter(
    "orgloop_deliveries_dropped_total",
    "Deliveries without room in their actor's queue, by route and actor",
    "route",
    "actor",
  );
  const unhandled = counter(
    "orgloop_unhandled_rejections_total",
    "Rejections in this process that no plug-in, nor anybody else, has handled",
  );
  const missing = counter(
    "orgloop_template_missing_total",
    "Placeholders that led nowhere in their event, by route",
    "route",
  );
  addGauges(readings, registers);
  const connectorOf = (kind: "source" | "actor", id: string): string =>
    readings.connectorOf(kind, id) ?? "unknown";
  return {
    contentType: register.contentType,
    text: () => register.metrics(),
    listener: {
      received: (source, count) => received.inc({ source }, count),
      refused: (source, status) => refused.inc({ source, status: String(status) }),
      repeated: (source) => repeated.inc({ source }),
      sourceFailed: (source) => connectorErrors.inc({ connector: connectorOf("source", source) }),
      delivered(route, actor, durationMs) {
        routed.inc({ route, connector: connectorOf("actor", actor) });
        processing.observe({ route }, durationMs / 1_000);
      },
      attemptFailed: (_route, actor) =>
        connectorErrors.inc({ connector: connectorOf("actor", actor) }),
      retried: (route, actor) => retries.inc({ route, actor }),
      dropped: (route, actor) => dropped.inc({ route, actor }),
      missing: (route) => missing.inc({ route }),
      unhandled: () => unhandled.inc(),
      buried: (_route, reason) => deadLetters.inc({ reason }),
    },
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
