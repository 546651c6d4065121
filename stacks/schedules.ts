import { type Group, pollerOf } from "@orgloop/aws/plan";
import { parseDuration, type SourceSpec } from "@orgloop/sdk";
import { Aws, type Stack } from "aws-cdk-lib";
import { CfnRole } from "aws-cdk-lib/aws-iam";
import { CfnSchedule } from "aws-cdk-lib/aws-scheduler";
import { functionArn, scheduleGroupArn } from "./arns.ts";
import { trust } from "./functions/lambda-function.ts";
import { shardStacks } from "./shard-stacks.ts";
import type { Stage } from "./stage.ts";

const MINUTE_MS = 60_000;
/** The share of an interval within which a tick may come, in parts of it, and the most minutes. */
const SPREAD = 5;
const MAX_SPREAD_MINUTES = 15;

/** One schedule a polled source, each in the shard of its id. */
export function schedules(stage: Stage, groups: readonly Group<SourceSpec>[]): readonly Stack[] {
  const keys = pollerOf(groups);
  const shards = shardStacks(stage, "sources", "schedules of sources", [...keys.keys()]);
  const roles = new Map<Stack, CfnRole>();
  for (const source of groups.flatMap(({ items }) => items)) {
    const stack = shards.of(source.id);
    const role =
      roles.get(stack) ?? scheduleRole(stack, "Role", stage, `${stage.names.prefix}poll-*`);
    roles.set(stack, role);
    addSchedule(stack, stage, source, keys.get(source.id) ?? "", role);
  }
  return shards.stacks;
}

function addSchedule(
  stack: Stack,
  { names, topology }: Stage,
  { id, poll }: SourceSpec,
  group: string,
  role: CfnRole,
): void {
  const name = names.schedule(id);
  const minutes = Math.ceil(
    parseDuration(poll?.interval ?? topology.defaults.poll_interval) / MINUTE_MS,
  );
  new CfnSchedule(stack, name.slice(names.prefix.length), {
    name,
    groupName: names.scheduleGroup,
    description: `Polls ${id}`.slice(0, 512),
    scheduleExpression: `rate(${minutes} ${minutes === 1 ? "minute" : "minutes"})`,
    flexibleTimeWindow: {
      mode: "FLEXIBLE",
      maximumWindowInMinutes: Math.min(
        MAX_SPREAD_MINUTES,
        Math.max(1, Math.floor(minutes / SPREAD)),
      ),
    },
    target: {
      arn: functionArn(names.poller(group)),
      roleArn: role.attrArn,
      input: JSON.stringify({ source: id }),
      // The next tick is the retry.
      retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
    },
  });
}

/**
 * What Scheduler may do: call functions of that name. Only schedules of this stage's group may take
 * it (AWS, Confused deputy prevention).
 */
export function scheduleRole(
  stack: Stack,
  id: string,
  { names, topology }: Stage,
  functionName: string,
): CfnRole {
  const boundary = topology.aws?.permissions_boundary;
  return new CfnRole(stack, id, {
    assumeRolePolicyDocument: trust("scheduler.amazonaws.com", {
      StringEquals: {
        "aws:SourceAccount": Aws.ACCOUNT_ID,
        "aws:SourceArn": scheduleGroupArn(names.scheduleGroup),
      },
    }),
    policies: [
      {
        policyName: "invoke",
        policyDocument: {
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Action: ["lambda:InvokeFunction"],
              Resource: [functionArn(functionName)],
            },
          ],
        },
      },
    ],
    ...(boundary ? { permissionsBoundary: boundary } : {}),
  });
}
