import { type AwsNames, PRICES } from "@orgloop/aws/plan";
import {
  functionsOf,
  graph,
  lambda,
  type Metric,
  type OwnMetric,
  queue,
  queuesOf,
  sumOver,
  table,
} from "./dashboard-metrics.ts";

const HOUR_S = 3600;
const SQS_REQUESTS = ["NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfEmptyReceives"];

/**
 * What functions, queues and table cost, by what they were seen doing, over the events that came
 * in; hour by hour.
 */
export function costGraph(names: AwsNames, own: OwnMetric) {
  const single = singleFunctions(names);
  const many = (["poll", "deliver"] as const).map((kind) => ({
    kind: functionsOf(names.prefix, kind),
    gb: kind === "poll" ? 0.5 : 0.25,
  }));
  const { lambda_request, lambda_gb_second, sqs_fifo_request } = PRICES;
  const perMs = (gb: number) => (gb * lambda_gb_second.usd) / 1000;
  const actors = queuesOf(names.actorPrefix);
  const terms: readonly Term[] = [
    ...single.map(([name]) => ({ usd: lambda_request.usd, of: lambda("Invocations", name, name) })),
    ...single.map(([name, gb]) => ({ usd: perMs(gb), of: lambda("Duration", name, name) })),
    ...many.map(({ kind }) => ({
      usd: lambda_request.usd,
      of: sumOver(kind, "Invocations", "Sum", HOUR_S),
    })),
    ...many.map(({ kind, gb }) => ({
      usd: perMs(gb),
      of: sumOver(kind, "Duration", "Sum", HOUR_S),
    })),
    ...SQS_REQUESTS.flatMap((metric) => [
      { usd: sqs_fifo_request.usd, of: queue(metric, names.bus, metric) },
      { usd: sqs_fifo_request.usd, of: sumOver(actors, metric, "Sum", HOUR_S) },
    ]),
    {
      usd: PRICES.dynamodb_write.usd,
      of: table("ConsumedWriteCapacityUnits", names.table, "writes"),
    },
    { usd: PRICES.dynamodb_read.usd, of: table("ConsumedReadCapacityUnits", names.table, "reads") },
  ];
  return graph("Cost: US dollars per million events", "Sum", [
    own("published", "events", { id: "events", visible: false, period: HOUR_S }),
    ...terms.map(({ of }, at) => hidden(of, `cost${at}`)),
    [
      {
        expression: `1000000 * (${terms.map(({ usd }, at) => `${usd} * FILL(cost${at}, 0)`).join(" + ")}) / events`,
        label: "per million events",
        period: HOUR_S,
      },
    ],
  ]);
}

interface Term {
  readonly usd: number;
  /** An expression, or one metric. */
  readonly of: string | Metric;
}

/** Those that there is one of, with their gigabytes. */
const singleFunctions = ({ router, receiver, sweeper }: AwsNames) =>
  [
    [router, 1],
    [receiver, 0.5],
    [sweeper, 0.25],
  ] as const;

function hidden(of: string | Metric, id: string): Metric {
  if (typeof of === "string") return [{ expression: of, id, visible: false }];
  return [...of.slice(0, -1), { id, visible: false, period: HOUR_S }];
}
