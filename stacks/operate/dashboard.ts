import { type AwsNames, awsNames, RUNBOOK } from "@orgloop/aws/plan";
import { costGraph } from "./dashboard-cost.ts";
import {
  dlqsOf,
  functionsOf,
  type Graph,
  graph,
  lambda,
  type Metric,
  type OwnMetric,
  ownMetrics,
  queue,
  queuesOf,
  sumLine,
  table,
  topLines,
} from "./dashboard-metrics.ts";

export interface DashboardOf {
  /** The workspace. */
  readonly stage: string;
  readonly project: string;
  readonly region: string;
  readonly account?: string;
  /** Subjects of the alarms that are shown, at most 100; default: the causes of every stage. */
  readonly alarms?: readonly string[];
}

/** CloudWatch's grid is 24 wide. */
const WIDTH = 8;
const HEIGHT = 6;
const ALARM_ROWS = 3;
const LOG_ROWS = 6;

/** Of every stage; each has its heading in the runbook. */
const CAUSES = {
  webhooks: "webhooks are refused: hurry, senders do not send again",
  router: "events are not routed as they come",
  ticks: "pollers or the sweeper are not called",
  polls: "sources are not polled, or fail",
  letters: "deliveries are given up: `orgloop dead-letters list`, then `replay`",
  platform: "the account's concurrency, or the state table, is short",
} as const;

/** Operations that our functions call: DynamoDB counts what it refuses by them. */
const OPERATIONS = [
  "GetItem",
  "BatchGetItem",
  "Query",
  "PutItem",
  "UpdateItem",
  "DeleteItem",
  "BatchWriteItem",
  "TransactWriteItems",
];

/**
 * The dashboard of a workspace, in CloudWatch's form (AWS, Dashboard Body Structure and Syntax).
 */
export function dashboardBody(of: DashboardOf) {
  const { stage, project, region } = of;
  const names = awsNames(stage);
  const own = ownMetrics(stage);
  const graphs = [
    ...flowGraphs(own, names),
    ...actorGraphs(own, names),
    ...functionGraphs(own, names),
    ...platformGraphs(own, names),
  ];
  const top = 1 + ALARM_ROWS;
  const below = top + Math.ceil(graphs.length / 3) * HEIGHT;
  const widgets = [
    textWidget(`# ${project}: ${stage}`, 0, 1),
    alarmWidget(of, names),
    ...graphs.map((one, at) => graphWidget(one, at, top, region)),
    ...logWidgets(names, region, below),
    textWidget(runbook(stage), below + LOG_ROWS, HEIGHT),
  ];
  return { widgets };
}

const textWidget = (markdown: string, y: number, height: number) => ({
  ...{ type: "text", x: 0, y, width: 24, height },
  properties: { markdown },
});

const runbook = (stage: string): string =>
  [
    `## What to do (${RUNBOOK})`,
    ...Object.entries(CAUSES).map(
      ([cause, what]) => `- **${cause}**: ${what}. ${RUNBOOK}#${cause}`,
    ),
    `- **actors**: an actor is late, or its function fails: \`orgloop status -w ${stage}\`. ${RUNBOOK}#actors`,
    "- What lies in a dead-letter queue: `orgloop dead-letters replay`, never SQS's redrive.",
  ].join("\n");

/** What is on now. */
function alarmWidget({ region, account = "000000000000", alarms }: DashboardOf, names: AwsNames) {
  const arn = (subject: string) =>
    `arn:aws:cloudwatch:${region}:${account}:alarm:${names.alarm(subject)}`;
  return {
    ...{ type: "alarm", x: 0, y: 1, width: 24, height: ALARM_ROWS },
    properties: { title: "Alarms", alarms: (alarms ?? Object.keys(CAUSES)).map(arn) },
  };
}

/** The graph of that number, three in a row. */
function graphWidget(
  { title, stat, metrics, unit }: Graph,
  at: number,
  top: number,
  region: string,
) {
  return {
    type: "metric",
    x: (at % 3) * WIDTH,
    y: top + Math.floor(at / 3) * HEIGHT,
    width: WIDTH,
    height: HEIGHT,
    properties: {
      title,
      view: "timeSeries",
      region,
      period: 60,
      stat,
      metrics,
      ...(unit ? { yAxis: { left: { label: unit, showUnits: false, min: 0 } } } : {}),
    },
  };
}

/** What the log says of who is ill now, and of what goes wrong most. */
function logWidgets({ router, receiver, sweeper, logGroup }: AwsNames, region: string, y: number) {
  const log = (title: string, x: number, groups: readonly string[], query: readonly string[]) => ({
    ...{ type: "log", x, y, width: 12, height: LOG_ROWS },
    properties: {
      ...{ title, region, view: "table" },
      query: [...groups.map((name) => `SOURCE '${logGroup(name)}'`), ...query].join(" | "),
    },
  });
  return [
    log(
      "Who is ill: breakers and sources",
      0,
      [sweeper],
      [
        'filter phase = "alert"',
        "stats latest(@timestamp) as last by error, coalesce(route, source) as who",
        "sort last desc",
        "limit 50",
      ],
    ),
    log(
      "What goes wrong most",
      12,
      [router, receiver, sweeper],
      [
        "filter ispresent(error)",
        "stats count(*) as times, latest(@timestamp) as last by phase, error",
        "sort times desc",
        "limit 20",
      ],
    ),
  ];
}

/** What becomes of events. */
function flowGraphs(own: OwnMetric, { bus }: AwsNames): readonly Graph[] {
  return [
    graph("Flow: events in, routed, delivered", "Sum", [
      own("published", "published"),
      own("routed", "routed"),
      own("matched", "matched"),
      own("delivered", "delivered"),
      own("repeats", "sent again, not routed"),
      own("skipped", "given up before, skipped"),
    ]),
    graph(
      "Lag: from the event to its delivery",
      "p50",
      [
        own("lag", "median", { stat: "p50" }),
        own("lag", "99 of 100", { stat: "p99" }),
        own("lag", "longest", { stat: "Maximum" }),
        own("waited", "still waiting, longest", { stat: "Maximum" }),
      ],
      "ms",
    ),
    graph("Waiting on the bus", "Maximum", [
      queue("ApproximateNumberOfMessagesVisible", bus, "waiting"),
      queue("ApproximateNumberOfMessagesNotVisible", bus, "in flight"),
      queue("ApproximateAgeOfOldestMessage", bus, "age of the oldest, s"),
    ]),
  ];
}

/** Who is ill, and how much waits. */
function actorGraphs(own: OwnMetric, { busDlq, actorPrefix }: AwsNames): readonly Graph[] {
  const queues = queuesOf(actorPrefix);
  const visible = "ApproximateNumberOfMessagesVisible";
  return [
    graph(
      "Top actors by age of the oldest",
      "Maximum",
      [topLines(queues, "ApproximateAgeOfOldestMessage")],
      "s",
    ),
    graph("Waiting for actors", "Maximum", [
      sumLine(queues, visible, "Maximum", "waiting"),
      sumLine(queues, "ApproximateNumberOfMessagesNotVisible", "Maximum", "in flight or held"),
    ]),
    graph("Breakers", "Sum", [
      own("breakersOpen", "open now", { stat: "Maximum" }),
      own("breakersOpened", "opened"),
      own("breakersClosed", "closed"),
      own("held", "deliveries held"),
    ]),
    graph("Dead letters", "Sum", [own("deadLetters", "given up")]),
    graph("Dead-letter queues", "Maximum", [
      queue(visible, busDlq, "of the bus"),
      sumLine(dlqsOf(actorPrefix), visible, "Maximum", "of the actors"),
    ]),
    graph("Sources", "Maximum", [
      own("sourcesWatched", "watched"),
      own("sourcesStale", "not polled in time"),
      own("sourcesFailing", "failing"),
    ]),
  ];
}

/** A metric of every kind of function. */
function kinds(metric: string, names: AwsNames, stat = "Sum"): readonly Metric[] {
  return [
    lambda(metric, names.router, "router"),
    lambda(metric, names.receiver, "receiver"),
    lambda(metric, names.sweeper, "sweeper"),
    sumLine(functionsOf(names.prefix, "poll"), metric, stat, "pollers"),
    sumLine(functionsOf(names.prefix, "deliver"), metric, stat, "deliver functions"),
  ];
}

function functionGraphs(own: OwnMetric, names: AwsNames): readonly Graph[] {
  const duration = (label: string, stat: string): Metric =>
    lambda("Duration", names.router, label, { stat });
  return [
    graph("Failures", "Sum", [
      own("failed", "attempts"),
      own("missing", "template values missing"),
      own("pollErrors", "polls"),
      own("refused", "requests refused"),
      own("unhandled", "unhandled rejections"),
    ]),
    graph("Functions: calls", "Sum", kinds("Invocations", names)),
    graph("Functions: errors", "Sum", kinds("Errors", names)),
    graph("Functions: throttles", "Sum", kinds("Throttles", names)),
    graph("Concurrency", "Maximum", [
      ["AWS/Lambda", "ClaimedAccountConcurrency", { label: "of the account, taken" }],
      ...kinds("ConcurrentExecutions", names, "Maximum"),
    ]),
    graph(
      "Router: duration",
      "p50",
      [duration("median", "p50"), duration("99 of 100", "p99")],
      "ms",
    ),
  ];
}

function platformGraphs(own: OwnMetric, names: AwsNames): readonly Graph[] {
  return [
    graph("State table", "Sum", [
      table("ConsumedWriteCapacityUnits", names.table, "writes"),
      table("ConsumedReadCapacityUnits", names.table, "reads"),
    ]),
    graph(
      "State table: refused, by operation",
      "Sum",
      OPERATIONS.map((operation) => [
        ...["AWS/DynamoDB", "ThrottledRequests", "TableName", names.table],
        ...["Operation", operation, { label: operation }],
      ]),
    ),
    costGraph(names, own),
  ];
}
