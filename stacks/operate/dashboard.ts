import {
  type AwsNames,
  awsNames,
  METRIC_DIMENSION,
  METRIC_NAMESPACE,
  METRICS,
  PRICES,
} from "@orgloop/aws/plan";

export interface DashboardOf {
  /** The workspace. */
  readonly stage: string;
  readonly project: string;
  readonly region: string;
}

/** CloudWatch's grid is 24 wide. */
const WIDTH = 8;
const HEIGHT = 6;

type Metric = readonly unknown[];

/**
 * A prefix as a search takes it: CloudWatch finds names by their words, and what stands in quotes
 * only as a whole (AWS, CloudWatch search expression syntax). A stage whose name has all the words
 * of another's is found with it.
 */
const wordsOf = (prefix: string): string => prefix.split("-").filter(Boolean).join(" ");

/**
 * The dashboard of a workspace, in CloudWatch's form (AWS, Dashboard Body Structure and Syntax).
 */
export function dashboardBody({ stage, project, region }: DashboardOf) {
  const names = awsNames(stage);
  const own = ownMetrics(stage);
  const graphs = [
    ...flowGraphs(own, names),
    ...waitingGraphs(names),
    ...functionGraphs(own, names),
    graph(
      "Cost: US dollars per million events",
      "Sum",
      costOf(names, own("published", "events", { id: "events", visible: false })),
    ),
    graph("State table", "Sum", [
      table("ConsumedWriteCapacityUnits", names.table, "writes"),
      table("ConsumedReadCapacityUnits", names.table, "reads"),
      table("ThrottledRequests", names.table, "throttled"),
    ]),
    graph("Pollers", "Sum", [
      functions("Invocations", `${names.prefix}poll-`, "polls"),
      functions("Throttles", `${names.prefix}poll-`, "throttled"),
    ]),
    graph("Sources", "Maximum", [
      own("sourcesWatched", "watched"),
      own("sourcesStale", "not polled in time"),
      own("sourcesFailing", "failing"),
    ]),
  ];
  const title = {
    type: "text",
    x: 0,
    y: 0,
    width: 24,
    height: 1,
    properties: { markdown: `# ${project}: ${stage}` },
  };
  return { widgets: [title, ...graphs.map((one, at) => widgetOf(one, at, region))] };
}

interface Graph {
  readonly title: string;
  readonly stat: string;
  readonly metrics: readonly Metric[];
  readonly unit: string | undefined;
}

const graph = (title: string, stat: string, metrics: readonly Metric[], unit?: string): Graph => ({
  title,
  stat,
  metrics,
  unit,
});

/** The graph of that number, three in a row below the title. */
function widgetOf({ title, stat, metrics, unit }: Graph, at: number, region: string) {
  return {
    type: "metric",
    x: (at % 3) * WIDTH,
    y: 1 + Math.floor(at / 3) * HEIGHT,
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

type OwnMetric = (metric: keyof typeof METRICS, label: string, options?: object) => Metric;

const ownMetrics =
  (stage: string): OwnMetric =>
  (metric, label, options = {}) => [
    METRIC_NAMESPACE,
    METRICS[metric],
    METRIC_DIMENSION,
    stage,
    { label, ...options },
  ];

const metricOf =
  (namespace: string, dimension: string) =>
  (metric: string, name: string, label: string): Metric => [
    namespace,
    metric,
    dimension,
    name,
    { label },
  ];

const queue = metricOf("AWS/SQS", "QueueName");
const lambda = metricOf("AWS/Lambda", "FunctionName");
const table = metricOf("AWS/DynamoDB", "TableName");

/** All queues or functions whose name begins so: actors come and go, the dashboard stays. */
const search =
  (schema: string, statistic: string) =>
  (metric: string, words: string, label: string): Metric => [
    {
      expression: `SUM(SEARCH('{${schema}} MetricName="${metric}" ${words}', '${statistic}', 60))`,
      label,
    },
  ];

const queues = search("AWS/SQS,QueueName", "Maximum");
const functions = (metric: string, prefix: string, label: string): Metric =>
  search("AWS/Lambda,FunctionName", "Sum")(metric, wordsOf(prefix), label);

/** What becomes of events. */
function flowGraphs(own: OwnMetric, names: AwsNames): readonly Graph[] {
  return [
    graph("Flow: events in, routed, delivered", "Sum", [
      own("published", "published"),
      own("routed", "routed"),
      own("matched", "matched"),
      own("delivered", "delivered"),
      own("repeats", "sent again, not routed"),
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
    graph("Dead letters", "Sum", [
      own("deadLetters", "given up"),
      queue("ApproximateNumberOfMessagesVisible", names.busDlq, "on the bus's dead-letter queue"),
    ]),
    graph("Breakers", "Sum", [
      own("breakersOpen", "open now", { stat: "Maximum" }),
      own("breakersOpened", "opened"),
      own("breakersClosed", "closed"),
      own("held", "deliveries held"),
    ]),
  ];
}

function waitingGraphs({ bus, actorPrefix }: AwsNames): readonly Graph[] {
  const ofActors = `${wordsOf(actorPrefix)} NOT dlq`;
  return [
    graph("Waiting on the bus", "Maximum", [
      queue("ApproximateNumberOfMessagesVisible", bus, "waiting"),
      queue("ApproximateNumberOfMessagesNotVisible", bus, "in flight"),
      queue("ApproximateAgeOfOldestMessage", bus, "age of the oldest, s"),
    ]),
    graph("Waiting for actors", "Maximum", [
      queues("ApproximateNumberOfMessagesVisible", ofActors, "waiting"),
      queues("ApproximateNumberOfMessagesNotVisible", ofActors, "in flight or held"),
    ]),
  ];
}

function functionGraphs(own: OwnMetric, names: AwsNames): readonly Graph[] {
  const duration = (label: string, stat: string): Metric => [
    ...lambda("Duration", names.router, label).slice(0, 4),
    { label, stat },
  ];
  return [
    graph("Failures", "Sum", [
      own("failed", "attempts"),
      own("missing", "template values missing"),
      own("pollErrors", "polls"),
      own("refused", "requests refused"),
      own("unhandled", "unhandled rejections"),
    ]),
    graph("Functions: errors and throttles", "Sum", [
      lambda("Errors", names.router, "router: errors"),
      lambda("Throttles", names.router, "router: throttles"),
      lambda("Errors", names.receiver, "receiver: errors"),
      functions("Errors", names.prefix, "all functions: errors"),
    ]),
    graph(
      "Router: duration",
      "p50",
      [duration("median", "p50"), duration("99 of 100", "p99")],
      "ms",
    ),
  ];
}

/** Gigabytes of memory, by what a function's name says after the stage. */
const MEMORY_GB = { "poll-": 0.5, receive: 0.5, route: 1, "deliver-": 0.25 };
const SQS_REQUESTS = ["NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfEmptyReceives"];

/**
 * What functions, queues and table cost, by what they were seen doing, over the events that came
 * in; hour by hour.
 */
function costOf(names: AwsNames, events: Metric): readonly Metric[] {
  const sum = (schema: string, metric: string, prefix: string) =>
    `SUM(SEARCH('{${schema}} MetricName="${metric}" ${wordsOf(prefix)}', 'Sum', 3600))`;
  const lambda = (metric: string, prefix: string) => sum("AWS/Lambda,FunctionName", metric, prefix);
  const terms = [
    `${PRICES.lambda_request.usd} * ${lambda("Invocations", names.prefix)}`,
    ...Object.entries(MEMORY_GB).map(
      ([kind, gb]) =>
        `${(gb * PRICES.lambda_gb_second.usd) / 1000} * ${lambda("Duration", names.prefix + kind)}`,
    ),
    ...SQS_REQUESTS.map(
      (metric) =>
        `${PRICES.sqs_fifo_request.usd} * ${sum("AWS/SQS,QueueName", metric, names.prefix)}`,
    ),
    `${PRICES.dynamodb_write.usd} * ${sum("AWS/DynamoDB,TableName", "ConsumedWriteCapacityUnits", names.table)}`,
    `${PRICES.dynamodb_read.usd} * ${sum("AWS/DynamoDB,TableName", "ConsumedReadCapacityUnits", names.table)}`,
  ];
  return [
    events,
    ...terms.map((expression, at) => [{ expression, id: `cost${at}`, visible: false }]),
    [
      {
        expression: `1000000 * (${terms.map((_, at) => `FILL(cost${at}, 0)`).join(" + ")}) / events`,
        label: "per million events",
        period: 3600,
      },
    ],
  ];
}
