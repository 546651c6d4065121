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
 * A prefix as a search takes it: CloudWatch finds names by their words, and what stands in quotes only as a whole (AWS, CloudWatch search
 * expression syntax). A stage whose name has all the words of another's is found with it.
 */
const wordsOf = (prefix: string): string => prefix.split("-").filter(Boolean).join(" ");

/** The dashboard of a workspace, in CloudWatch's form (AWS, Dashboard Body Structure and Syntax). */
export function dashboardBody({ stage, project, region }: DashboardOf) {
  const names = awsNames(stage);
  const own = (metric: keyof typeof METRICS, label: string, options: object = {}): Metric => [
    METRIC_NAMESPACE,
    METRICS[metric],
    METRIC_DIMENSION,
    stage,
    { label, ...options },
  ];
  const queue = (metric: string, name: string, label: string): Metric => [
    "AWS/SQS",
    metric,
    "QueueName",
    name,
    { label },
  ];
  const lambda = (metric: string, name: string, label: string): Metric => [
    "AWS/Lambda",
    metric,
    "FunctionName",
    name,
    { label },
  ];
  const table = (metric: string, name: string, label: string): Metric => [
    "AWS/DynamoDB",
    metric,
    "TableName",
    name,
    { label },
  ];
  /** All queues or functions whose name begins so: actors come and go, the dashboard stays. */
  const search = (
    schema: string,
    metric: string,
    words: string,
    statistic: string,
    label: string,
  ): Metric => [
    {
      expression: `SUM(SEARCH('{${schema}} MetricName="${metric}" ${words}', '${statistic}', 60))`,
      label,
    },
  ];
  const graph = (title: string, stat: string, metrics: readonly Metric[], unit?: string) => ({
    title,
    stat,
    metrics,
    unit,
  });
  const graphs = [
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
      own("breakersOpened", "opened"),
      own("breakersClosed", "closed"),
      own("held", "deliveries held"),
    ]),
    graph("Waiting on the bus", "Maximum", [
      queue("ApproximateNumberOfMessagesVisible", names.bus, "waiting"),
      queue("ApproximateNumberOfMessagesNotVisible", names.bus, "in flight"),
      queue("ApproximateAgeOfOldestMessage", names.bus, "age of the oldest, s"),
    ]),
    graph("Waiting for actors", "Maximum", [
      search(
        "AWS/SQS,QueueName",
        "ApproximateNumberOfMessagesVisible",
        `${wordsOf(names.actorPrefix)} NOT dlq`,
        "Maximum",
        "waiting",
      ),
      search(
        "AWS/SQS,QueueName",
        "ApproximateNumberOfMessagesNotVisible",
        `${wordsOf(names.actorPrefix)} NOT dlq`,
        "Maximum",
        "in flight or held",
      ),
    ]),
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
      search(
        "AWS/Lambda,FunctionName",
        "Errors",
        wordsOf(names.prefix),
        "Sum",
        "all functions: errors",
      ),
    ]),
    graph(
      "Router: duration",
      "p50",
      [
        [
          ...lambda("Duration", names.router, "median").slice(0, 4),
          { label: "median", stat: "p50" },
        ],
        [
          ...lambda("Duration", names.router, "p99").slice(0, 4),
          { label: "99 of 100", stat: "p99" },
        ],
      ],
      "ms",
    ),
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
      search(
        "AWS/Lambda,FunctionName",
        "Invocations",
        wordsOf(`${names.prefix}poll-`),
        "Sum",
        "polls",
      ),
      search(
        "AWS/Lambda,FunctionName",
        "Throttles",
        wordsOf(`${names.prefix}poll-`),
        "Sum",
        "throttled",
      ),
    ]),
  ];
  return {
    widgets: [
      {
        type: "text",
        x: 0,
        y: 0,
        width: 24,
        height: 1,
        properties: { markdown: `# ${project}: ${stage}` },
      },
      ...graphs.map(({ title, stat, metrics, unit }, at) => ({
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
      })),
    ],
  };
}

/** Gigabytes of memory, by what a function's name says after the stage. */
const MEMORY_GB = { "poll-": 0.5, receive: 0.5, route: 1, "deliver-": 0.25 };
const SQS_REQUESTS = ["NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfEmptyReceives"];

/** What functions, queues and table cost, by what they were seen doing, over the events that came in; hour by hour. */
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
