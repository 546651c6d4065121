import { DURATION_PATTERN, parseDuration, type RouteSpec } from "@orgloop/sdk";
import type { AwsNames } from "../aws-names.ts";
import type { AlarmMetric, MetricAlarm } from "./alarm.ts";
import { PERIOD_S } from "./new-alarm.ts";

/** The stage that alarms are of. */
export interface AlarmedStage {
  readonly workspace: string;
  readonly names: AwsNames;
}

/** What an actor may be behind, beside what its routes' rates ask for. */
const LATE_S = 3600;
/** At 13 days its events are given up: whoever is woken has three of them. */
const LATEST_S = 10 * 86_400;
const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** A metric of Lambda, of one function. */
export const lambdaMetric = (metric: string, FunctionName: string): AlarmMetric => ({
  namespace: "AWS/Lambda",
  metric,
  dimensions: { FunctionName },
  statistic: "Sum",
});

export const queueMetric = (metric: string, QueueName: string): AlarmMetric => ({
  namespace: "AWS/SQS",
  metric,
  dimensions: { QueueName },
  statistic: "Maximum",
});

/** An actor's part of the names of its alarms. */
const partOf = (names: AwsNames, actor: string): string =>
  names.actorQueue(actor).slice(names.prefix.length, -".fifo".length);

/**
 * Of an actor: that the oldest of its queue waits too long, and that something lies in its
 * dead-letter queue. SQS counts both, whoever is dead.
 */
export function actorAlarms(
  { names, workspace }: AlarmedStage,
  actor: string,
  routes: readonly RouteSpec[],
): readonly MetricAlarm[] {
  const part = partOf(names, actor);
  const after = lateAfterS(routes);
  const hours = Math.round(after / 360) / 10;
  return [
    {
      subject: `${part}-late`,
      text: {
        anchor: "actor-late",
        happened: `Deliveries to ${actor} have waited for more than ${hours} hours.`,
        look: `orgloop status -w ${workspace} (its breaker, what waits), orgloop logs -w ${workspace} --phase deliver.`,
        press: `nothing is lost: mend the actor, and what waits goes out by itself.`,
      },
      metrics: { age: queueMetric("ApproximateAgeOfOldestMessage", names.actorQueue(actor)) },
      threshold: after,
      period: PERIOD_S,
      ...{ periods: 1, of: 1, silence: "health" },
    },
    {
      subject: `${part}-dlq`,
      text: {
        anchor: "actor-dlq",
        happened: `Deliveries to ${actor} were received 1,000 times and never settled: SQS put them aside.`,
        look: `orgloop dead-letters list --actor ${actor} -w ${workspace}.`,
        press: `orgloop dead-letters replay --actor ${actor} -w ${workspace}, never the redrive of SQS's console.`,
      },
      metrics: { dead: queueMetric("ApproximateNumberOfMessagesVisible", names.actorDlq(actor)) },
      threshold: 0,
      period: PERIOD_S,
      ...{ periods: 1, of: 1, silence: "health" },
    },
  ];
}

/**
 * Seconds after which an actor is late: an hour, and the time that its slowest rate needs for a
 * queue that is full; 10 days at the most.
 */
export function lateAfterS(routes: readonly RouteSpec[]): number {
  const slowest = routes.map(({ delivery }) => {
    const {
      max_rate,
      queue_depth = 1000,
      max_age,
      coalesce,
    } = delivery as typeof delivery & {
      coalesce?: { max_wait?: string };
    };
    const [, count = "", unit = ""] = /^(\d+(?:\.\d+)?)\/([smh])$/.exec(max_rate ?? "") ?? [];
    const full = count === "" ? 0 : (queue_depth * (UNIT_S[unit] ?? 0)) / Number(count);
    return Math.min(secondsOf(max_age) ?? full, full) + (secondsOf(coalesce?.max_wait) ?? 0);
  });
  return Math.round(Math.min(LATEST_S, LATE_S + Math.max(0, ...slowest)));
}

function secondsOf(duration: string | undefined): number | undefined {
  if (duration === undefined || !DURATION_PATTERN.test(duration)) return undefined;
  return parseDuration(duration) / 1000;
}

/**
 * That a function fails or is refused more than now and then: it crashes, cannot start, or finds
 * no concurrency.
 */
export function failingAlarm(
  { names, workspace }: AlarmedStage,
  functionName: string,
  { what, anchor }: { readonly what: string; readonly anchor: string },
): MetricAlarm {
  return {
    subject: `${functionName.slice(names.prefix.length)}-failing`,
    text: {
      anchor,
      happened: `The function that ${what} crashes, cannot start or is throttled.`,
      look: `orgloop logs -w ${workspace} --phase system.error, and the log group ${names.logGroup(functionName)}.`,
      press: `mend it and deploy; what waits is delivered then. Throttled: raise the account's concurrency.`,
    },
    metrics: {
      errors: lambdaMetric("Errors", functionName),
      throttles: lambdaMetric("Throttles", functionName),
      calls: lambdaMetric("Invocations", functionName),
    },
    expression: "(FILL(errors, 0) + FILL(throttles, 0)) / (FILL(calls, 0) + FILL(throttles, 0))",
    plain: ["errors", "throttles"],
    threshold: 0.1,
    period: PERIOD_S,
    ...{ periods: 6, of: 3, silence: "health" },
  };
}
