import { METRIC_DIMENSION, METRIC_NAMESPACE, METRICS } from "../metric-names.ts";
import type { AlarmText, MetricAlarm } from "./alarm.ts";

/** Seconds. */
export const PERIOD_S = 300;

export type Rest = Pick<MetricAlarm, "metrics" | "threshold"> & Partial<MetricAlarm>;

/** An alarm that goes off with one period, if `rest` says nothing else. */
export const newAlarm = (subject: string, text: AlarmText, rest: Rest): MetricAlarm => ({
  subject,
  text,
  period: PERIOD_S,
  periods: 1,
  of: rest.periods ?? 1,
  silence: "health",
  ...rest,
});

/** A metric that our functions write. */
export const ownMetric = (
  stage: string,
  metric: keyof typeof METRICS,
  statistic: "Maximum" | "Sum",
) => ({
  namespace: METRIC_NAMESPACE,
  metric: METRICS[metric],
  dimensions: { [METRIC_DIMENSION]: stage },
  statistic,
});
