import { METRIC_DIMENSION, METRIC_NAMESPACE, METRICS } from "@orgloop/aws/plan";
import type { Stack } from "aws-cdk-lib";
import { CfnAlarm } from "aws-cdk-lib/aws-cloudwatch";
import type { Stage } from "../stage.ts";

interface Alarm {
  readonly subject: string;
  readonly description: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimension: readonly [name: string, value: string];
  readonly statistic: "Maximum" | "Sum";
  /** It goes off above this. */
  readonly threshold: number;
  /** Five minutes each; all of them. */
  readonly periods: number;
}

/** What somebody should look at: a queue that gets older, dead letters, pollers that fail. */
const stageAlarms = (stage: Stage): readonly Alarm[] => [
  ...queueAlarms(stage),
  ...ownAlarms(stage),
  ...functionAlarms(stage),
];

function queueAlarms({ names }: Stage): readonly Alarm[] {
  const queue = (name: string) => ({
    namespace: "AWS/SQS",
    dimension: ["QueueName", name] as const,
    statistic: "Maximum" as const,
  });
  return [
    {
      ...queue(names.bus),
      subject: "bus-age",
      description: "Events wait on the bus for more than 5 minutes: the router does not keep up",
      metric: "ApproximateAgeOfOldestMessage",
      threshold: 300,
      periods: 2,
    },
    {
      ...queue(names.busDlq),
      subject: "bus-dlq",
      description: "Events that the router never settled: orgloop dead-letters list shows them",
      metric: "ApproximateNumberOfMessagesVisible",
      threshold: 0,
      periods: 1,
    },
  ];
}

function ownAlarms({ stage }: Stage): readonly Alarm[] {
  const own = {
    namespace: METRIC_NAMESPACE,
    dimension: [METRIC_DIMENSION, stage],
    periods: 1,
  } as const;
  return [
    {
      ...own,
      subject: "waiting",
      description: "Deliveries have waited for more than an hour: orgloop status says for whom",
      metric: METRICS.waited,
      statistic: "Maximum",
      threshold: 3_600_000,
    },
    {
      ...own,
      subject: "dead-letters",
      description: "Deliveries were given up: orgloop dead-letters list says why",
      metric: METRICS.deadLetters,
      statistic: "Sum",
      threshold: 0,
    },
    {
      ...own,
      subject: "poll-errors",
      description: "Sources cannot be polled: orgloop status says which",
      metric: METRICS.pollErrors,
      statistic: "Sum",
      threshold: 0,
      periods: 3,
    },
  ];
}

function functionAlarms({ names, inboxes }: Stage): readonly Alarm[] {
  const errorsOf = (name: string) => ({
    namespace: "AWS/Lambda",
    metric: "Errors",
    dimension: ["FunctionName", name] as const,
    statistic: "Sum" as const,
    threshold: 0,
    periods: 2,
  });
  const alarms: readonly Alarm[] = [
    {
      ...errorsOf(names.router),
      subject: "router-errors",
      description: "The router fails: orgloop logs says how",
    },
    {
      ...errorsOf(names.receiver),
      subject: "receiver-errors",
      description: "Webhooks cannot be taken in: orgloop logs says why",
    },
  ];
  if (!inboxes.swept) return alarms;
  const sweeper = {
    ...errorsOf(names.sweeper),
    subject: "sweeper-errors",
    description: "What nobody fetches from inboxes is not given up: orgloop logs says why",
  };
  return [...alarms, sweeper];
}

const PERIOD_S = 300;

/** The alarms of a stage. Silence is health: a metric that nobody writes is no alarm. */
export function alarms(stack: Stack, stage: Stage): void {
  for (const alarm of stageAlarms(stage)) {
    const [Name, value] = alarm.dimension;
    new CfnAlarm(stack, alarm.subject, {
      alarmName: stage.names.alarm(alarm.subject),
      alarmDescription: alarm.description,
      namespace: alarm.namespace,
      metricName: alarm.metric,
      dimensions: [{ name: Name, value }],
      statistic: alarm.statistic,
      comparisonOperator: "GreaterThanThreshold",
      threshold: alarm.threshold,
      period: PERIOD_S,
      evaluationPeriods: alarm.periods,
      treatMissingData: "notBreaching",
    });
  }
}
