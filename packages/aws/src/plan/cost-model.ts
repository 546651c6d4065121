import { parseDuration, type Topology } from "@orgloop/sdk";
import { alarmCounts } from "./alarms/alarm-counts.ts";
import { inboxActors } from "./groups.ts";
import { ingressOf } from "./ingress-of.ts";
import { METRICS } from "./metric-names.ts";
import { PRICES, type PriceName } from "./prices.ts";
import type { Intake } from "./stage-size.ts";

/**
 * What the configuration does not say: what happens in the organisation, and how its actors answer.
 */
export interface CostAssumptions {
  /** Events of a source a day. */
  readonly events_per_source_per_day: number;
  /** Routes that an event matches, on average. */
  readonly deliveries_per_event: number;
  readonly attempts_per_delivery: number;
  readonly event_kb: number;
  /** How long a poll takes. */
  readonly poll_ms: number;
  readonly receive_ms: number;
  /** Of one call of the router. */
  readonly route_ms: number;
  /** Of one attempt: mostly the actor's answer. */
  readonly deliver_ms: number;
  /** Events that the router is handed at once. */
  readonly bus_batch: number;
  /** How long a look at sources, breakers, refused deliveries and inboxes takes. */
  readonly sweep_ms: number;
  /** Events that an object of the history holds: two a minute are written at most, or 6 MB. */
  readonly history_batch: number;
  /** How long writing an object of the history takes. */
  readonly history_ms: number;
  /** Deliveries that a deliver function is handed at once. */
  readonly actor_batch: number;
  /** Connections with which Lambda asks each queue, also an empty one, every 20 seconds. */
  readonly idle_pollers: number;
  readonly log_kb_per_event: number;
  readonly log_kb_per_poll: number;
}

export const COST_ASSUMPTIONS: CostAssumptions = {
  events_per_source_per_day: 100,
  deliveries_per_event: 2,
  attempts_per_delivery: 1.05,
  event_kb: 8,
  poll_ms: 800,
  receive_ms: 60,
  route_ms: 100,
  deliver_ms: 400,
  sweep_ms: 150,
  history_batch: 20,
  history_ms: 300,
  bus_batch: 3,
  actor_batch: 1.5,
  idle_pollers: 5,
  log_kb_per_event: 2,
  log_kb_per_poll: 0.5,
};

export interface CostLine {
  readonly price: PriceName;
  /** What for. */
  readonly what: string;
  /** Of the price's unit, a month. */
  readonly quantity: number;
  readonly usd: number;
}

export interface StageCost {
  readonly events: number;
  readonly lines: readonly CostLine[];
  readonly monthly_usd: number;
  /** What it costs when nothing happens: schedules, queues that are asked, alarms. */
  readonly idle_usd: number;
  /** What a million more events cost. */
  readonly per_million_events_usd: number;
}

const DAYS = 365.25 / 12;
const MINUTES = DAYS * 24 * 60;
/** A long poll of an empty queue. */
const EMPTY_RECEIVES = (MINUTES * 60) / 20;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** As the stacks make them. */
const GB = { poll: 0.5, receive: 0.5, route: 1, deliver: 0.25, sweep: 0.25, history: 0.5 };
const SQS_CHUNK_KB = 64;
/**
 * Partitions of the table that a look at the inboxes asks, and one at the breakers, once a minute.
 */
const PARTITIONS = 32;
/**
 * Of a transaction, which has two for each: an entry, its place and its session are written, and
 * removed.
 */
const INBOX_WRITES = 2 * 2 * 3;
const KB_PER_GB = 1024 ** 2;

/** What a stage costs a month, for what its Topology says and what is assumed of the rest. */
export function stageCost(
  topology: Topology,
  intake: Intake,
  assumed: Partial<CostAssumptions> = {},
): StageCost {
  const assumptions = { ...COST_ASSUMPTIONS, ...assumed };
  const events = topology.sources.length * assumptions.events_per_source_per_day * DAYS;
  const of = (count: number) => total(costLines(topology, intake, assumptions, count));
  const lines = costLines(topology, intake, assumptions, events);
  return {
    events,
    lines,
    monthly_usd: total(lines),
    idle_usd: of(0),
    per_million_events_usd: of(events + 1e6) - of(events),
  };
}

const total = (lines: readonly CostLine[]) => lines.reduce((sum, { usd }) => sum + usd, 0);

function costLines(
  topology: Topology,
  intake: Intake,
  a: CostAssumptions,
  events: number,
): CostLine[] {
  const { sources, actors, defaults, aws } = topology;
  const polls = pollsAMonth(topology, intake);
  const received = sources.filter((source) => intake(source).received).length;
  const requests = sources.length === 0 ? 0 : (events * received) / sources.length;
  const attempts = events * a.deliveries_per_event * a.attempts_per_delivery;
  const routed = events / a.bus_batch;
  const delivered = attempts / a.actor_batch;
  const chunks = Math.ceil(a.event_kb / SQS_CHUNK_KB);
  const logsGb = (events * a.log_kb_per_event + polls * a.log_kb_per_poll) / KB_PER_GB;
  const months = (duration: string) => parseDuration(duration) / DAY_MS / DAYS;
  const alarms = alarmCounts(topology, intake);
  const historyGb = (events * a.event_kb) / KB_PER_GB;

  return [
    line("scheduler_invocation", "ticks of the sources", polls),
    line("lambda_request", "calls of the functions", polls + requests + routed + delivered),
    duration("poll", "polling", polls, a.poll_ms),
    duration("receive", "receiving webhooks", requests, a.receive_ms),
    duration("route", "routing", routed, a.route_ms),
    duration("deliver", "delivering", delivered, a.deliver_ms * a.actor_batch),
    line(
      "sqs_fifo_request",
      "events on the bus: sent, received, deleted",
      chunks * (events + 2 * routed),
    ),
    line(
      "sqs_fifo_request",
      "deliveries: sent, received, counted, deleted",
      chunks * (events * a.deliveries_per_event + 3 * delivered),
    ),
    line(
      "sqs_fifo_request",
      "queues that Lambda asks while they are empty",
      (1 + actors.length) * a.idle_pollers * EMPTY_RECEIVES,
    ),
    line("dynamodb_write", "leases and checkpoints", 3 * polls),
    line("dynamodb_write", "claims and traces of events", 2 * events),
    line("dynamodb_read", "checkpoints and route states", polls + attempts),
    ...historyLines(a, events),
    ...sweepLines(a, routed),
    line("s3_gb_month", "history", historyGb * months(defaults.event_retention)),
    line("logs_gb", "logs and metrics of the functions", logsGb),
    line("logs_gb_month", "logs, compressed", 0.15 * logsGb * months(aws?.log_retention ?? "30d")),
    line("metric_month", "own metrics", Object.keys(METRICS).length),
    line("alarm_month", "alarms: metrics that they watch", alarms.metrics),
    line("composite_alarm_month", "alarms on alarms", alarms.composites),
    line("dashboard_month", "the dashboard", 1),
    ...sweeperLines(a, sources.filter((source) => intake(source).polled).length),
    ...(inboxActors(topology).length > 0 ? inboxLines(topology, a, events) : []),
    ...(ingressOf(aws).kind === "api_gateway" ? [line("api_request", "webhooks", requests)] : []),
  ];
}

const line = (price: PriceName, what: string, quantity: number): CostLine => ({
  price,
  what,
  quantity,
  usd: quantity * PRICES[price].usd,
});

const duration = (kind: keyof typeof GB, what: string, calls: number, ms: number): CostLine =>
  line("lambda_gb_second", what, calls * GB[kind] * (ms / 1000));

function historyLines(a: CostAssumptions, events: number): CostLine[] {
  const written = events / a.history_batch;
  return [
    line("sqs_request", "history: sent, received, deleted", events / a.bus_batch + 2 * written),
    line("sqs_request", "the history's queue while it is empty", a.idle_pollers * EMPTY_RECEIVES),
    line("lambda_request", "writing the history", written),
    duration("history", "writing the history", written, a.history_ms),
    line("s3_put", "history", written),
  ];
}

function sweepLines(a: CostAssumptions, routed: number): CostLine[] {
  const what = "looks at refused deliveries and inboxes";
  return [
    line("scheduler_invocation", what, MINUTES),
    line("lambda_request", what, MINUTES),
    duration("sweep", what, MINUTES, a.sweep_ms),
    line("dynamodb_read", "which queues refuse, with each batch", routed + MINUTES),
  ];
}

/** The schedule ticks by whole minutes. */
function pollsAMonth({ sources, defaults }: Topology, intake: Intake): number {
  return sources
    .filter((source) => intake(source).polled)
    .map(({ poll }) =>
      Math.ceil(parseDuration(poll?.interval ?? defaults.poll_interval) / MINUTE_MS),
    )
    .reduce((sum, minutes) => sum + MINUTES / minutes, 0);
}

function sweeperLines(a: CostAssumptions, polled: number): CostLine[] {
  return [
    line("scheduler_invocation", "the sweeper's ticks", MINUTES),
    line("lambda_request", "the sweeper", MINUTES),
    duration("sweep", "looking after sources, breakers and inboxes", MINUTES, a.sweep_ms),
    line("dynamodb_read", "looks at sources and breakers", (PARTITIONS + polled) * MINUTES),
  ];
}

function inboxLines({ routes }: Topology, a: CostAssumptions, events: number): CostLine[] {
  const share = routes.filter(({ then }) => then.config.inbox === true).length / routes.length;
  const kept = events * a.deliveries_per_event * share;
  return [
    line("dynamodb_read", "looks at the inboxes", PARTITIONS * MINUTES),
    line("dynamodb_write", "what waits in inboxes", kept * (INBOX_WRITES + 2 * a.event_kb)),
  ];
}
