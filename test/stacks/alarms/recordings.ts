import type { Recorded } from "./evaluate-alarms.ts";

type Metric = Parameters<Recorded>[0];

/** An organisation that is well: everything is called, nothing waits, nothing fails. */
export const healthy: Recorded = ({ namespace, name, of }) => {
  if (namespace === "AWS/Lambda") {
    if (name === "ClaimedAccountConcurrency") return 300;
    if (name === "Invocations") return 10;
    return name === "Errors" || name === "Throttles" ? 0 : undefined;
  }
  if (namespace === "AWS/SQS") return name === "ApproximateAgeOfOldestMessage" ? 5 : 0;
  if (namespace === "OrgLoop") {
    const counts: Readonly<Record<string, number>> = {
      SourcesWatched: 40,
      SourcesStale: 0,
      SourcesFailing: 1,
      DeliveriesDelivered: 1000,
      DeadLetters: 1,
    };
    return counts[name];
  }
  return of.endsWith("-state") ? 100 * (name.startsWith("Consumed") ? 1 : 0) : undefined;
};

/** What is recorded otherwise, from the minute on at which it goes wrong. */
export const from =
  (start: number, ill: (metric: Metric, since: number) => number | null | undefined): Recorded =>
  (metric, minute) => {
    const value = minute < start ? undefined : ill(metric, minute - start);
    return value === undefined ? healthy(metric, minute) : (value ?? undefined);
  };

/** Nothing comes out of a queue: its oldest message gets older. */
export const ages = ({ name }: Metric, since: number): number | undefined =>
  name === "ApproximateAgeOfOldestMessage" ? 60 * since : undefined;

/** Every call of a function is one of these instead. */
export const calls = ({ name }: Metric, as: "Errors" | "Throttles"): number | null | undefined => {
  if (name === as) return 10;
  return name === "Invocations" && as === "Throttles" ? null : undefined;
};
