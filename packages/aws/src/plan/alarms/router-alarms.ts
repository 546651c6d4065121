import type { AlarmText, MetricAlarm } from "./alarm.ts";
import { type AlarmedStage, failingAlarm, lambdaMetric, queueMetric } from "./item-alarms.ts";
import { newAlarm, type Rest } from "./new-alarm.ts";

/** The router: its queue, which SQS counts, and its function, which Lambda counts. */
export function routerAlarms({ names, workspace }: AlarmedStage): readonly MetricAlarm[] {
  const logs = `orgloop logs -w ${workspace} --phase system.error`;
  return [
    newAlarm(
      "bus-age",
      {
        anchor: "bus-age",
        happened:
          "Events have waited on the bus for more than 5 minutes: the router does not keep up.",
        look: `${logs}, and the dashboard's "Waiting on the bus" and "Router".`,
        press: "nothing is lost: what waits is routed when the router is well again.",
      },
      {
        metrics: { age: queueMetric("ApproximateAgeOfOldestMessage", names.bus) },
        ...{ threshold: 300, periods: 2, of: 2 },
      },
    ),
    newAlarm(
      "bus-dlq",
      {
        anchor: "bus-dlq",
        happened: "Events were received 1,000 times and never routed: SQS put them aside.",
        look: `orgloop dead-letters list -w ${workspace}.`,
        press: `orgloop dead-letters replay -w ${workspace}, never the redrive of SQS's console.`,
      },
      {
        metrics: { dead: queueMetric("ApproximateNumberOfMessagesVisible", names.busDlq) },
        threshold: 0,
      },
    ),
    ratio("router-errors", "Errors", names.router, {
      text: {
        anchor: "router-errors",
        happened: "More than 5 of 100 calls of the router crash.",
        look: `${logs}.`,
        press: "deploy the version before, or mend it; what waits on the bus is routed then.",
      },
      ...{ threshold: 0.05, periods: 3, of: 2 },
    }),
    ratio("router-throttles", "Throttles", names.router, {
      text: {
        anchor: "router-throttles",
        happened: "More than 5 of 100 calls of the router are refused for want of concurrency.",
        look: `orgloop doctor -w ${workspace}, and the dashboard's "Concurrency".`,
        press:
          "have the account's Lambda concurrency raised; what waits on the bus is routed then.",
      },
      ...{ threshold: 0.05, periods: 3, of: 2 },
    }),
  ];
}

/** The record: nothing waits for it, and without it nothing can be replayed. */
export function historyAlarms(of: AlarmedStage): readonly MetricAlarm[] {
  const { names, workspace } = of;
  return [
    newAlarm(
      "history-age",
      {
        anchor: "history-age",
        happened: "What was routed half an hour ago is not in the record: it cannot be replayed.",
        look: `orgloop logs -w ${workspace} --phase system.error, and whether the bucket takes objects.`,
        press: "nothing is lost for 14 days: what waits is written when the bucket takes it.",
      },
      {
        metrics: { age: queueMetric("ApproximateAgeOfOldestMessage", names.history) },
        ...{ threshold: 1_800, periods: 2, of: 2 },
      },
    ),
    newAlarm(
      "history-dlq",
      {
        anchor: "history-dlq",
        happened: "Lines of the record were received 1,000 times and never written.",
        look: `orgloop logs -w ${workspace} --phase system.error, and whether the bucket takes objects.`,
        press: "mend it, then the redrive of SQS's console: of this queue it is the right one.",
      },
      {
        metrics: { dead: queueMetric("ApproximateNumberOfMessagesVisible", names.historyDlq) },
        threshold: 0,
      },
    ),
    failingAlarm(of, names.historian, { what: "writes the record", anchor: "history-failing" }),
  ];
}

/** Of webhooks each that is refused may be lost: GitHub does not send it again. */
export function receiverAlarms({ names, workspace }: AlarmedStage): readonly MetricAlarm[] {
  const again =
    "have the sender deliver again what failed meanwhile (GitHub: the hook's page, Recent Deliveries).";
  return [
    ratio("receiver-errors", "Errors", names.receiver, {
      text: {
        anchor: "receiver-errors",
        happened: "Webhooks are answered with an error, and their senders may not send them again.",
        look: `orgloop logs -w ${workspace} --phase system.error.`,
        press: `mend it and deploy, then ${again}`,
      },
      threshold: 0.01,
    }),
    ratio("receiver-throttles", "Throttles", names.receiver, {
      text: {
        anchor: "receiver-throttles",
        happened: "Webhooks are answered 429: more come than the receiver's concurrency takes.",
        look: `the dashboard's "Functions", and orgloop doctor -w ${workspace}.`,
        press: `orgloop deploy -w ${workspace} with a greater aws.ingress.concurrency, or api_gateway as its kind; then ${again}`,
      },
      threshold: 0.001,
    }),
  ];
}

function ratio(
  subject: string,
  metric: "Errors" | "Throttles",
  functionName: string,
  { text, ...rest }: { readonly text: AlarmText } & Omit<Rest, "metrics">,
): MetricAlarm {
  const all = metric === "Errors" ? "FILL(calls, 0)" : "(FILL(calls, 0) + FILL(bad, 0))";
  return newAlarm(subject, text, {
    metrics: {
      bad: lambdaMetric(metric, functionName),
      calls: lambdaMetric("Invocations", functionName),
    },
    expression: `FILL(bad, 0) / ${all}`,
    plain: ["bad"],
    ...rest,
  });
}
