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
  const routed = new Counter({
    name: "orgloop_events_routed_total",
    help: "Deliveries that succeeded, by route and the actor's connector",
    labelNames: ["route", "connector"],
    registers,
  });
  const processing = new Histogram({
    name: "orgloop_event_processing_seconds",
    help: "Time of one delivery attempt that succeeded, by route",
    labelNames: ["route"],
    buckets: SECONDS,
    registers,
  });
  const connectorErrors = new Counter({
    name: "orgloop_connector_errors_total",
    help: "Polls and delivery attempts that failed, by connector",
    labelNames: ["connector"],
    registers,
  });
  const received = new Counter({
    name: "orgloop_events_received_total",
    help: "Events that are durable on the bus, by source",
    labelNames: ["source"],
    registers,
  });
  const refused = new Counter({
    name: "orgloop_webhooks_refused_total",
    help: "Webhook requests that were refused, by source and HTTP status",
    labelNames: ["source", "status"],
    registers,
  });
  const deadLetters = new Counter({
    name: "orgloop_dead_letters_total",
    help: "Dead letters written, by reason",
    labelNames: ["reason"],
    registers,
  });
  const retries = new Counter({
    name: "orgloop_delivery_retries_total",
    help: "Attempts that failed and are followed by another, by route and actor",
    labelNames: ["route", "actor"],
    registers,
  });
  const dropped = new Counter({
    name: "orgloop_deliveries_dropped_total",
    help: "Deliveries without room in their actor's queue, by route and actor",
    labelNames: ["route", "actor"],
    registers,
  });
  gauges(readings, registers);
  const connectorOf = (kind: "source" | "actor", id: string): string =>
    readings.connectorOf(kind, id) ?? "unknown";
  return {
    contentType: register.contentType,
    text: () => register.metrics(),
    listener: {
      received: (source, count) => received.inc({ source }, count),
      refused: (source, status) => refused.inc({ source, status: String(status) }),
      sourceFailed: (source) => connectorErrors.inc({ connector: connectorOf("source", source) }),
      delivered(route, actor, durationMs) {
        routed.inc({ route, connector: connectorOf("actor", actor) });
        processing.observe({ route }, durationMs / 1_000);
      },
      attemptFailed: (_route, actor) =>
        connectorErrors.inc({ connector: connectorOf("actor", actor) }),
      retried: (route, actor) => retries.inc({ route, actor }),
      dropped: (route, actor) => dropped.inc({ route, actor }),
      buried: (_route, reason) => deadLetters.inc({ reason }),
    },
  };
}

function gauges(readings: MetricsReadings, registers: Registry[]): void {
  new Gauge({
    name: "orgloop_uptime_seconds",
    help: "Since the process started",
    registers,
    collect() {
      this.set(readings.uptimeSeconds());
    },
  });
  new Gauge({
    name: "orgloop_connected_sources",
    help: "Sources that run and are not held by their circuit breaker",
    registers,
    collect() {
      this.set(readings.sources().filter(({ status }) => status !== "unhealthy").length);
    },
  });
  new Gauge({
    name: "orgloop_backlog_events",
    help: "Events on the bus that are not done with",
    registers,
    collect() {
      this.set(readings.backlog());
    },
  });
  new Gauge({
    name: "orgloop_actor_queued",
    help: "Deliveries that wait, by actor",
    labelNames: ["actor"],
    registers,
    collect() {
      this.reset();
      for (const { id, queued } of readings.actors()) this.set({ actor: id }, queued);
    },
  });
  new Gauge({
    name: "orgloop_actor_in_flight",
    help: "Delivery attempts under way, by actor",
    labelNames: ["actor"],
    registers,
    collect() {
      this.reset();
      for (const { id, in_flight } of readings.actors()) this.set({ actor: id }, in_flight);
    },
  });
  new Gauge({
    name: "orgloop_actor_queue_depth",
    help: "Deliveries that may wait, by actor",
    labelNames: ["actor"],
    registers,
    collect() {
      this.reset();
      for (const { id, queue_depth } of readings.actors()) this.set({ actor: id }, queue_depth);
    },
  });
  new Gauge({
    name: "orgloop_route_circuit",
    help: "The route's breaker: 0 closed, 1 half open, 2 open",
    labelNames: ["route"],
    registers,
    collect() {
      this.reset();
      for (const { name, circuit } of readings.routes()) {
        this.set({ route: name }, ["closed", "half_open", "open"].indexOf(circuit));
      }
    },
  });
  new Gauge({
    name: "orgloop_dead_letters",
    help: "Dead letters that are kept",
    registers,
    collect() {
      this.set(readings.deadLetters());
    },
  });
}
