import { UNRESERVED } from "./bulkheads.ts";
import type { StageSize } from "./stage-size.ts";

/** A quota of an account that a stage may run into. */
export interface Quota {
  /** What of the stage counts against it. */
  readonly size: keyof Pick<StageSize, "roles" | "schedules" | "queues" | "stacks" | "concurrency">;
  readonly label: string;
  /** Of the Service Quotas API; absent: it knows of none. */
  readonly code?: { readonly service: string; readonly quota: string };
  /** Of a new account, as AWS documents it (read 2026-11); infinite where there is none. */
  readonly preset: number;
  readonly source: string;
}

/**
 * Lambda has no quota of functions; it raises concurrency from 10 for accounts that are new to it.
 */
export const QUOTAS: readonly Quota[] = [
  {
    size: "roles",
    label: "IAM roles",
    code: { service: "iam", quota: "L-FE177D64" },
    preset: 1_000,
    source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
  },
  {
    size: "schedules",
    label: "EventBridge schedules",
    preset: 1_000_000,
    source: "https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html",
  },
  {
    size: "queues",
    label: "SQS queues",
    preset: Number.POSITIVE_INFINITY,
    source:
      "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html",
  },
  {
    size: "stacks",
    label: "CloudFormation stacks",
    code: { service: "cloudformation", quota: "L-0485CB21" },
    preset: 2_000,
    source:
      "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html",
  },
  {
    size: "concurrency",
    label: "Lambda concurrency",
    code: { service: "lambda", quota: "L-B99A9384" },
    preset: 1_000,
    source: "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
  },
];

/** `over`: a deploy would fail. `tight`: it works, with less room than the stage could use. */
export interface QuotaFinding {
  readonly quota: Quota;
  readonly level: "ok" | "tight" | "over";
  readonly needed: number;
  readonly limit: number;
  /** What it means, and what to do; empty where it is ok. */
  readonly advice: string;
}

/**
 * A stage's size against an account's quotas; `limitOf` tells what the account has, null: the
 * preset counts.
 */
export function quotaFindings(
  size: StageSize,
  limitOf: (quota: Quota) => number | null = () => null,
): readonly QuotaFinding[] {
  return QUOTAS.map((quota) => {
    const needed = size[quota.size];
    const limit = limitOf(quota) ?? quota.preset;
    const found = (level: QuotaFinding["level"], advice = "") => ({
      quota,
      level,
      needed,
      limit,
      advice,
    });
    if (quota.size === "concurrency") {
      if (size.leastConcurrency > limit) {
        const advice = `${size.leastConcurrency} at the least: 2 an actor, ${size.reservedConcurrency} that are reserved and ${UNRESERVED} that Lambda keeps back: have the quota raised before deploying, and say so with aws.concurrency`;
        return { ...found("over", advice), needed: size.leastConcurrency };
      }
      if (size.sharedConcurrency > limit) {
        const advice = `aws.concurrency is ${size.sharedConcurrency}, which is what actors are given shares of: write what the account has for this stage, or have the quota raised`;
        return found("tight", advice);
      }
      if (needed > limit) {
        return found("tight", "when everything is busy at once, deliveries wait for each other");
      }
      return found("ok");
    }
    if (needed > limit) return found("over", adviceOn(quota.size));
    if (needed > 0.8 * limit) {
      return found(
        "tight",
        `other stages and programs of the account share it: ${adviceOn(quota.size)}`,
      );
    }
    return found("ok");
  });
}

function adviceOn(size: Quota["size"]): string {
  return size === "roles"
    ? "set `pollers: per_connector` and `deliverers: per_connector` under `aws`, or have the quota raised"
    : "have the quota raised";
}
