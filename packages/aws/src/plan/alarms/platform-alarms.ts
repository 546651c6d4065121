import type { AlarmMetric, MetricAlarm } from "./alarm.ts";
import type { AlarmedStage } from "./item-alarms.ts";
import { newAlarm, ownMetric } from "./new-alarm.ts";

/** What was given up. */
export function letterAlarms({ workspace }: AlarmedStage): readonly MetricAlarm[] {
  const dead = newAlarm(
    "dead-letters",
    {
      anchor: "dead-letters",
      happened: "More than 5 of 100 deliveries were given up.",
      look: `orgloop dead-letters list -w ${workspace} says which and why.`,
      press: `mend the cause, then orgloop dead-letters replay -w ${workspace} (--route, --reason, --rate 5/s).`,
    },
    {
      metrics: {
        dead: ownMetric(workspace, "deadLetters", "Sum"),
        delivered: ownMetric(workspace, "delivered", "Sum"),
      },
      expression: "dead / (dead + FILL(delivered, 0))",
      plain: ["dead"],
      threshold: 0.05,
    },
  );
  return [dead];
}

/** What everything else stands on. */
export function platformAlarms(
  { names, workspace }: AlarmedStage,
  concurrency: number,
): readonly MetricAlarm[] {
  const table = (metric: string): AlarmMetric => ({
    namespace: "AWS/DynamoDB",
    metric,
    dimensions: { TableName: names.table },
    statistic: "Sum",
  });
  return [
    newAlarm(
      "table-throttles",
      {
        anchor: "table-throttles",
        happened: "DynamoDB refuses more than 1 of 100 requests to the state table.",
        look: `the dashboard's "State table: refused", by operation.`,
        press: "nothing is lost: retries go on. Raise the table's limits where it lasts.",
      },
      {
        metrics: {
          ...{ reads: table("ReadThrottleEvents"), writes: table("WriteThrottleEvents") },
          read: table("ConsumedReadCapacityUnits"),
          written: table("ConsumedWriteCapacityUnits"),
        },
        expression:
          "(FILL(reads, 0) + FILL(writes, 0)) / (FILL(reads, 0) + FILL(writes, 0) + FILL(read, 0) + FILL(written, 0))",
        plain: ["reads", "writes"],
        ...{ threshold: 0.01, periods: 2, of: 2 },
      },
    ),
    newAlarm(
      "concurrency",
      {
        anchor: "concurrency",
        happened: `More than 90 of 100 of the account's Lambda concurrency (${concurrency}) is taken.`,
        look: `the dashboard's "Concurrency", and orgloop doctor -w ${workspace}.`,
        press: "have the quota raised, and say so in aws.concurrency.",
      },
      {
        metrics: {
          claimed: {
            ...{ namespace: "AWS/Lambda", metric: "ClaimedAccountConcurrency" },
            ...{ dimensions: {}, statistic: "Maximum" },
          },
        },
        ...{ threshold: 0.9 * concurrency, periods: 2, of: 2 },
      },
    ),
  ];
}
