import type { Synthesized } from "../synthesize.ts";
import { alarmRule, namedIn } from "./alarm-rule.ts";
import { metricExpression } from "./metric-expression.ts";

/** What was recorded of a metric in a minute; undefined: nothing was written. */
export type Recorded = (
  metric: {
    readonly namespace: string;
    readonly name: string;
    /** The value of its one dimension; '' where it has none. */
    readonly of: string;
  },
  minute: number,
) => number | undefined;

export interface Message {
  readonly minute: number;
  /** The alarm's name, without the stage's prefix. */
  readonly alarm: string;
  /** Those that it names and that were on. */
  readonly because: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: a template's forms.
type Properties = any;

/** Alarms look again so often. */
const STEP_MINUTES = 5;

/**
 * What alarms of a template send in `minutes` of a recording, as CloudWatch documents it: periods,
 * datapoints to alarm, missing data, metric math, alarms on alarms, and actions that are
 * suppressed, with their wait and their extension.
 */
export function evaluateAlarms(
  made: Synthesized,
  recorded: Recorded,
  minutes: number,
): readonly Message[] {
  const metric = made.ofType("AWS::CloudWatch::Alarm").map(({ Properties }) => Properties);
  const composite = inOrder(
    made.ofType("AWS::CloudWatch::CompositeAlarm").map(({ Properties }) => Properties),
  );
  const on = new Map<string, number>();
  const pending = new Map<string, "waits" | "sent">();
  const quietSince = new Map<string, number>();
  const messages: Message[] = [];
  const set = (name: string, isOn: boolean, minute: number) => {
    if (!isOn) on.delete(name);
    else if (!on.has(name)) on.set(name, minute);
  };
  for (let minute = STEP_MINUTES; minute <= minutes; minute += STEP_MINUTES) {
    for (const alarm of metric) set(alarm.AlarmName, isBreached(alarm, recorded, minute), minute);
    for (const alarm of composite) {
      set(
        alarm.AlarmName,
        alarmRule(alarm.AlarmRule, (name) => on.has(name)),
        minute,
      );
    }
    for (const alarm of [...metric, ...composite]) {
      if ((alarm.AlarmActions ?? []).length > 0) act(alarm, minute);
    }
  }
  return messages;

  function act(alarm: Properties, minute: number): void {
    const name: string = alarm.AlarmName;
    const since = on.get(name);
    if (since === undefined) {
      pending.delete(name);
      return;
    }
    if (pending.get(name) === "sent") return;
    pending.set(name, "waits");
    const suppressor: string | undefined = alarm.ActionsSuppressor;
    if (suppressor !== undefined) {
      if (on.has(suppressor)) quietSince.set(name, minute);
      const quiet = quietSince.get(name);
      const extension = alarm.ActionsSuppressorExtensionPeriod / 60;
      if (quiet !== undefined && quiet >= since && minute - quiet <= extension) return;
      // What is seen every five minutes: the wait ends with the first look after it.
      if (minute - since < alarm.ActionsSuppressorWaitPeriod / 60) return;
    }
    pending.set(name, "sent");
    const because = leavesOf(name).filter((one) => on.has(one));
    messages.push({ minute, alarm: short(name), because: because.map(short) });
  }

  function leavesOf(name: string): readonly string[] {
    const found = composite.find((one) => one.AlarmName === name);
    return found === undefined ? [name] : namedIn(found.AlarmRule).flatMap(leavesOf);
  }
}

const short = (name: string) => name.replace(/^orgloop-production-/, "");

function isBreached(alarm: Properties, recorded: Recorded, minute: number): boolean {
  const period = (alarm.Period ?? alarm.Metrics[0].MetricStat.Period) / 60;
  let breached = 0;
  for (let back = 0; back < alarm.EvaluationPeriods; back++) {
    const end = minute - back * period;
    const value = periodValue(alarm, recorded, end - period, end);
    const isOver =
      alarm.ComparisonOperator === "LessThanThreshold"
        ? (value ?? 0) < alarm.Threshold
        : (value ?? 0) > alarm.Threshold;
    if (value === undefined ? alarm.TreatMissingData === "breaching" : isOver) breached += 1;
  }
  return breached >= (alarm.DatapointsToAlarm ?? alarm.EvaluationPeriods);
}

function periodValue(
  alarm: Properties,
  recorded: Recorded,
  from: number,
  to: number,
): number | undefined {
  if (alarm.Metrics === undefined) {
    const { Namespace, MetricName, Dimensions, Statistic } = alarm;
    return total(recorded, { Namespace, MetricName, Dimensions }, Statistic, from, to);
  }
  const [returned] = alarm.Metrics.filter((one: Properties) => one.ReturnData);
  return metricExpression(returned.Expression, (id) => {
    const { Metric, Stat } = alarm.Metrics.find((one: Properties) => one.Id === id).MetricStat;
    return total(recorded, Metric, Stat, from, to);
  });
}

function total(
  recorded: Recorded,
  { Namespace, MetricName, Dimensions = [] }: Properties,
  statistic: string,
  from: number,
  to: number,
): number | undefined {
  const metric = { namespace: Namespace, name: MetricName, of: Dimensions[0]?.Value ?? "" };
  const values: number[] = [];
  for (let minute = Math.max(0, from); minute < to; minute++) {
    const value = recorded(metric, minute);
    if (value !== undefined) values.push(value);
  }
  if (values.length === 0) return undefined;
  if (statistic === "Sum") return values.reduce((sum, value) => sum + value, 0);
  if (statistic === "Maximum") return Math.max(...values);
  throw new Error(`the statistic ${statistic}`);
}

/** Each after those that it names. */
function inOrder(alarms: readonly Properties[]): readonly Properties[] {
  const byName = new Map(alarms.map((one) => [one.AlarmName, one]));
  const ordered = new Set<Properties>();
  const visit = (one: Properties): void => {
    if (one === undefined || ordered.has(one)) return;
    for (const name of namedIn(one.AlarmRule)) visit(byName.get(name));
    ordered.add(one);
  };
  for (const one of alarms) visit(one);
  return [...ordered];
}
