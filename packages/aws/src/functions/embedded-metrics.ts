import { type Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { METRIC_DIMENSION, METRICS } from "../plan/metric-names.ts";
import type { MetricSink } from "./flow-log.ts";

const TIMES: ReadonlySet<keyof typeof METRICS> = new Set(["lag", "waited"]);

/**
 * Metrics in the log (embedded metric format) under the stage alone: a dimension a route would cost
 * a metric each.
 */
export function embeddedMetrics(metrics: Metrics, stage: string): MetricSink {
  // The library's own dimension, `service`, would make other metrics of them than the dashboard
  // reads.
  metrics.clearDefaultDimensions();
  metrics.setDefaultDimensions({ [METRIC_DIMENSION]: stage });
  return (counts) => {
    for (const [metric, values] of counts) {
      const isTime = TIMES.has(metric);
      const unit = isTime ? MetricUnit.Milliseconds : MetricUnit.Count;
      const total = values.reduce((sum, value) => sum + value, 0);
      for (const value of isTime ? values : [total])
        metrics.addMetric(METRICS[metric], unit, value);
    }
    metrics.publishStoredMetrics();
  };
}
