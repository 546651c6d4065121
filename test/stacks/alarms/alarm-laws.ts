import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Synthesized } from "../synthesize.ts";
import { namedIn } from "./alarm-rule.ts";

const RUNBOOK = path.resolve(import.meta.dirname, "../../../docs/aws/alarms.md");

// biome-ignore lint/suspicious/noExplicitAny: templates have the forms of a hundred services.
type Properties = any;

interface WatchedMetric {
  readonly metric: string;
  readonly of: string;
  readonly alarm: Properties;
}

const of = (made: Synthesized, type: string): readonly Properties[] =>
  made.ofType(type).map(({ Properties }) => Properties);

/** Every metric of every alarm. */
const watched = (made: Synthesized): readonly WatchedMetric[] =>
  of(made, "AWS::CloudWatch::Alarm").flatMap((alarm) => {
    const metrics: Properties[] = alarm.Metrics?.flatMap(
      ({ MetricStat }: Properties) => MetricStat?.Metric ?? [],
    ) ?? [alarm];
    return metrics.map(({ MetricName, Dimensions }) => ({
      metric: MetricName,
      of: Dimensions?.[0]?.Value ?? "",
      alarm,
    }));
  });

/** What every stage's alarms keep, at whatever size. */
export function alarmLaws(made: () => Synthesized): void {
  const byMetric = () => Map.groupBy(watched(made()), ({ metric }) => metric);
  const namesOf = (metric: string) =>
    new Set(
      byMetric()
        .get(metric)
        ?.map((one) => one.of),
    );

  test("the age of every queue and what lies in every dead-letter queue is watched, by SQS's own count", () => {
    const queues = of(made(), "AWS::SQS::Queue").map(({ QueueName }) => String(QueueName));
    const isDlq = (name: string) => /-dlq(\.fifo)?$/.test(name);
    expect(namesOf("ApproximateAgeOfOldestMessage")).toEqual(
      new Set(queues.filter((name) => !isDlq(name))),
    );
    expect(namesOf("ApproximateNumberOfMessagesVisible")).toEqual(new Set(queues.filter(isDlq)));
  });

  test("errors and throttles of every function that events need are watched; those of a deploy fail it", () => {
    const functions = of(made(), "AWS::Lambda::Function")
      .map(({ FunctionName }) => String(FunctionName))
      .filter((name) => !/-(record|empty)$/.test(name));
    for (const metric of ["Errors", "Throttles"]) {
      expect(namesOf(metric)).toEqual(new Set(functions));
    }
  });

  test("that pollers or the sweeper are not called at all is an illness", () => {
    const silent = watched(made()).filter(
      ({ metric, alarm }) => metric === "Invocations" && alarm.TreatMissingData === "breaching",
    );
    const kinds = silent.map((one) => one.of.replace(/^orgloop-production-(\w+).*$/, "$1"));
    expect(new Set(kinds)).toEqual(new Set(["poll", "sweep"]));
    for (const { alarm } of silent) expect(alarm.ComparisonOperator).toBe("LessThanThreshold");
  });

  test("what we count ourselves is counted by another than who is watched", () => {
    const own = watched(made()).filter(({ of }) => of === "production");
    expect(new Set(own.map(({ metric }) => metric))).toEqual(
      new Set([
        ...["SourcesStale", "SourcesFailing", "SourcesWatched"],
        ...["DeadLetters", "DeliveriesDelivered"],
      ]),
    );
  });

  test("an alarm says what happened, what to look at and what to press, and has its place in the runbook", () => {
    const headings = readFileSync(RUNBOOK, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("## "))
      .map((line) => line.slice(3).trim());
    const alarms = [
      ...of(made(), "AWS::CloudWatch::Alarm"),
      ...of(made(), "AWS::CloudWatch::CompositeAlarm"),
    ];
    for (const { AlarmDescription } of alarms) {
      const [, anchor] =
        /^.{20,} Look at: .{10,} Press: .{10,} Runbook: docs\/aws\/alarms\.md#([\w-]+)$/s.exec(
          AlarmDescription,
        ) ?? [];
      expect([AlarmDescription, headings.includes(anchor ?? "")]).toEqual([AlarmDescription, true]);
      expect(AlarmDescription.length).toBeLessThanOrEqual(1024);
    }
  });

  test("alarms on alarms name at most 100 that are there before them, and so do their suppressors", () => {
    const rank = new Map([...made().stacks.keys()].map((name) => [name, rankOf(name)]));
    const placed = new Map<string, number>();
    for (const [stack, { resources }] of made().stacks) {
      for (const { Type, Properties } of Object.values(resources)) {
        if (!/CloudWatch::(Composite)?Alarm$/.test(Type)) continue;
        expect(placed.has(Properties.AlarmName)).toBe(false);
        placed.set(Properties.AlarmName, rank.get(stack) ?? 0);
      }
    }
    const composites = of(made(), "AWS::CloudWatch::CompositeAlarm");
    expect(composites.length).toBeGreaterThan(3);
    for (const { AlarmName, AlarmRule, ActionsSuppressor } of composites) {
      const children = namedIn(AlarmRule);
      expect(children.length).toBeLessThanOrEqual(100);
      expect(AlarmRule.length).toBeLessThanOrEqual(10_240);
      for (const child of [...children, ...(ActionsSuppressor ? [ActionsSuppressor] : [])]) {
        expect([child, placed.has(child)]).toEqual([child, true]);
        expect(placed.get(child) ?? 9).toBeLessThanOrEqual(placed.get(AlarmName) ?? 0);
      }
    }
  });

  test("an expression has at most ten metrics, and a day of periods", () => {
    for (const alarm of of(made(), "AWS::CloudWatch::Alarm")) {
      expect((alarm.Metrics ?? []).length).toBeLessThanOrEqual(11);
      const period = alarm.Period ?? alarm.Metrics[0].MetricStat.Period;
      expect(period * alarm.EvaluationPeriods).toBeLessThanOrEqual(86_400);
      expect(alarm.DatapointsToAlarm).toBeLessThanOrEqual(alarm.EvaluationPeriods);
    }
  });
}

const rankOf = (stack: string): number =>
  stack.startsWith("alarms-") ? 0 : ["observability", "alerts"].indexOf(stack) + 1;
