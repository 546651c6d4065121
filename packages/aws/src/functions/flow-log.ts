import { type Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { MaskSecrets, OpenEntry } from "@orgloop/engine";
import { type DefaultsSpec, type LogEntry, shownPhases } from "@orgloop/sdk";
import { METRIC_DIMENSION, METRICS } from "../plan/metric-names.ts";

/** What a function says: entries of the log, and what is counted. */
export interface FlowLog {
  log(entry: OpenEntry): void;
  count(metric: keyof typeof METRICS, value?: number): void;
}

/** Takes what was counted in one invocation; those of `lag` and `waited` are milliseconds. */
type MetricSink = (counts: ReadonlyMap<keyof typeof METRICS, readonly number[]>) => void;

interface JsonFlowLogOptions {
  readonly stage: string;
  readonly project: string;
  readonly level: DefaultsSpec["log_level"];
  readonly now: () => number;
  /** Takes one line, without its end. */
  readonly write: (line: string) => void;
  readonly metrics: MetricSink;
  /** What an entry says went wrong is written without secrets. */
  readonly mask: MaskSecrets;
}

/**
 * One JSON line an entry, as the log file of a process has them; metrics go out when the invocation
 * ends, by `flush`.
 */
export function jsonFlowLog(options: JsonFlowLogOptions): FlowLog & { flush(): void } {
  const { stage: workspace, project: module, level, now, write, metrics, mask } = options;
  const shown = shownPhases(level);
  let counts = new Map<keyof typeof METRICS, number[]>();
  return {
    log(entry) {
      if (!shown.has(entry.phase)) return;
      const timestamp = new Date(now()).toISOString();
      const { error } = entry;
      const masked = error === undefined ? entry : { ...entry, error: mask(error) };
      const line: LogEntry = { timestamp, ...masked, workspace, module };
      write(JSON.stringify(line));
    },
    count(metric, value = 1) {
      const values = counts.get(metric) ?? [];
      values.push(value);
      counts.set(metric, values);
    },
    flush() {
      if (counts.size > 0) metrics(counts);
      counts = new Map();
    },
  };
}

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
