import { METRIC_DIMENSION, METRIC_NAMESPACE, METRICS } from "@orgloop/aws/plan";

/** A line of a graph, in CloudWatch's form. */
export type Metric = readonly unknown[];

export interface Graph {
  readonly title: string;
  readonly stat: string;
  readonly metrics: readonly Metric[];
  readonly unit: string | undefined;
}

export const graph = (
  title: string,
  stat: string,
  metrics: readonly Metric[],
  unit?: string,
): Graph => ({ title, stat, metrics, unit });

/**
 * A prefix as a search takes it: CloudWatch finds names by their words, and what stands in quotes
 * only as a whole (AWS, CloudWatch search expression syntax). A stage whose name has all the words
 * of another's is found with it.
 */
export const wordsOf = (prefix: string): string => prefix.split("-").filter(Boolean).join(" ");

export type OwnMetric = (metric: keyof typeof METRICS, label: string, options?: object) => Metric;

export const ownMetrics =
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
  (metric: string, name: string, label: string, options: object = {}): Metric => [
    namespace,
    metric,
    dimension,
    name,
    { label, ...options },
  ];

export const queue = metricOf("AWS/SQS", "QueueName");
export const lambda = metricOf("AWS/Lambda", "FunctionName");
export const table = metricOf("AWS/DynamoDB", "TableName");

/** What a search goes through: of one kind, since it ends at 500 names. */
export interface Kind {
  readonly schema: "AWS/SQS,QueueName" | "AWS/Lambda,FunctionName";
  readonly words: string;
}

export const queuesOf = (actorPrefix: string): Kind => ({
  schema: "AWS/SQS,QueueName",
  words: `${wordsOf(actorPrefix)} NOT dlq`,
});

export const dlqsOf = (actorPrefix: string): Kind => ({
  schema: "AWS/SQS,QueueName",
  words: `${wordsOf(actorPrefix)} dlq`,
});

export const functionsOf = (prefix: string, kind: "poll" | "deliver"): Kind => ({
  schema: "AWS/Lambda,FunctionName",
  words: `${wordsOf(prefix)} ${kind}`,
});

const searched = ({ schema, words }: Kind, metric: string, stat: string, period: number): string =>
  `SEARCH('{${schema}} MetricName="${metric}" ${words}', '${stat}', ${period})`;

/** The sum over a kind, as an expression. */
export const sumOver = (kind: Kind, metric: string, stat: string, period = 60): string =>
  `SUM(${searched(kind, metric, stat, period)})`;

/** The same as a line: actors come and go, the dashboard stays. */
export const sumLine = (kind: Kind, metric: string, stat: string, label: string): Metric => [
  { expression: sumOver(kind, metric, stat), label },
];

/** The ten of a kind with the highest values, each by its name. */
export const topLines = (kind: Kind, metric: string): Metric => [
  {
    expression: `SLICE(SORT(${searched(kind, metric, "Maximum", 300)}, MAX, DESC), 0, 10)`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudWatch fills it in
    label: "${PROP('Dim.QueueName')}",
  },
];
