import {
  type AlarmMetric,
  alarmDescription,
  type CompositeAlarm,
  type MetricAlarm,
} from "@orgloop/aws/plan";
import type { Stack } from "aws-cdk-lib";
import { CfnAlarm, CfnCompositeAlarm } from "aws-cdk-lib/aws-cloudwatch";
import { snsArn } from "../arns.ts";
import type { Stage } from "../stage.ts";

/** How long a message waits for the one that would make it needless, and stays needless after. */
const WAIT_S = 180;
const EXTENSION_S = 300;

/**
 * Makes alarms, each after those that it names. Where the endpoint is an emulator, which knows
 * neither metric math nor alarms on alarms, each metric has an alarm of its own, and tells of
 * itself.
 */
export function makeAlarms(
  stack: Stack,
  stage: Stage,
  metric: readonly MetricAlarm[],
  composite: readonly CompositeAlarm[],
): void {
  if (stage.plainAlarms) {
    for (const alarm of metric.flatMap(plainForms))
      metricAlarm(stack, stage, alarm, actions(stage));
    return;
  }
  const made = new Map<string, CfnAlarm | CfnCompositeAlarm>();
  for (const alarm of metric) {
    made.set(stage.names.alarm(alarm.subject), metricAlarm(stack, stage, alarm, []));
  }
  for (const alarm of composite) {
    const one = compositeAlarm(stack, stage, alarm);
    const suppressor = alarm.unless === undefined ? [] : [stage.names.alarm(alarm.unless)];
    const named = [...alarm.rule.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name);
    for (const name of new Set([...named, ...suppressor])) {
      const before = made.get(name);
      if (before !== undefined) one.addDependency(before);
    }
    made.set(stage.names.alarm(alarm.subject), one);
  }
}

/** Who is told; nobody where the workspace names nobody. */
function actions({ topology, names }: Stage): string[] {
  const { topic_arn, emails = [] } = topology.aws?.alarms ?? {};
  if (topic_arn !== undefined) return [topic_arn];
  return emails.length > 0 ? [snsArn(names.alarmTopic)] : [];
}

function plainForms(alarm: MetricAlarm): readonly MetricAlarm[] {
  if (alarm.expression === undefined) return [alarm];
  const threshold = alarm.below ? alarm.threshold : 0;
  const { expression: _, ...rest } = alarm;
  return (alarm.plain ?? []).map((id) => ({
    ...rest,
    subject: alarm.plain?.length === 1 ? alarm.subject : `${alarm.subject}-${id}`,
    metrics: Object.fromEntries(Object.entries(alarm.metrics).filter(([one]) => one === id)),
    threshold,
  }));
}

function metricAlarm(
  stack: Stack,
  stage: Stage,
  alarm: MetricAlarm,
  alarmActions: string[],
): CfnAlarm {
  const { subject, text, threshold, below = false, period, periods, of, silence } = alarm;
  return new CfnAlarm(stack, subject, {
    alarmName: stage.names.alarm(subject),
    alarmDescription: alarmDescription(text),
    ...metricsOf(alarm, period),
    comparisonOperator: below ? "LessThanThreshold" : "GreaterThanThreshold",
    threshold,
    evaluationPeriods: periods,
    datapointsToAlarm: of,
    treatMissingData: silence === "health" ? "notBreaching" : "breaching",
    ...(alarmActions.length > 0 && { alarmActions }),
  });
}

const dimensionsOf = ({ dimensions }: AlarmMetric) =>
  Object.entries(dimensions).map(([name, value]) => ({ name, value }));

function metricsOf({ metrics, expression }: MetricAlarm, period: number) {
  const all = Object.entries(metrics);
  const [[, only] = []] = all;
  if (expression === undefined) {
    if (only === undefined) return {};
    const { namespace, metric: metricName, statistic } = only;
    return { namespace, metricName, statistic, dimensions: dimensionsOf(only), period };
  }
  return {
    metrics: [
      ...all.map(([id, metric]) => ({
        id,
        returnData: false,
        metricStat: {
          metric: {
            namespace: metric.namespace,
            metricName: metric.metric,
            dimensions: dimensionsOf(metric),
          },
          period,
          stat: metric.statistic,
        },
      })),
      { id: "it", expression, label: "it", returnData: true },
    ],
  };
}

function compositeAlarm(stack: Stack, stage: Stage, alarm: CompositeAlarm): CfnCompositeAlarm {
  const { subject, text, rule, wakes, unless } = alarm;
  const alarmActions = wakes ? actions(stage) : [];
  return new CfnCompositeAlarm(stack, subject, {
    alarmName: stage.names.alarm(subject),
    alarmDescription: alarmDescription(text),
    alarmRule: rule,
    ...(alarmActions.length > 0 && { alarmActions }),
    ...(unless !== undefined && {
      actionsSuppressor: stage.names.alarm(unless),
      actionsSuppressorWaitPeriod: WAIT_S,
      actionsSuppressorExtensionPeriod: EXTENSION_S,
    }),
  });
}
