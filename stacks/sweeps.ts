import type { SweepSpec } from "@orgloop/aws/sweep";
import { parseDuration, type SourceSpec } from "@orgloop/sdk";
import type { Stack } from "aws-cdk-lib";
import { CfnEventInvokeConfig } from "aws-cdk-lib/aws-lambda";
import { CfnSchedule, type CfnScheduleGroup } from "aws-cdk-lib/aws-scheduler";
import { functionArn } from "./arns.ts";
import { lambdaFunction } from "./functions/lambda-function.ts";
import { specValue } from "./functions/spec-value.ts";
import { readObjects, sendToActors, sendToBus, useObjects, useTable } from "./grants.ts";
import { scheduleRole } from "./schedules.ts";
import type { Stage } from "./stage.ts";

/** The next minute is the retry. */
const ONCE = { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 };

/**
 * The function that looks, once a minute, which sources are not polled, which breakers are open,
 * which queues take again what they refused, and what nobody fetches from inboxes.
 */
export function sweeps(
  stack: Stack,
  stage: Stage,
  group: CfnScheduleGroup,
  polled: readonly SourceSpec[],
): void {
  const { names, topology, inboxes } = stage;
  const spec: SweepSpec = {
    sources: polled.map(({ id, poll }) => ({
      id,
      interval_ms: parseDuration(poll?.interval ?? topology.defaults.poll_interval),
    })),
    groupings: Object.fromEntries(stage.groupings),
    inboxes: inboxes.swept,
  };
  const sweeper = lambdaFunction(stack, "Sweeper", stage, {
    kind: "sweep",
    name: names.sweeper,
    description: "Looks after sources, breakers, refused deliveries and inboxes",
    packages: [],
    spec: specValue(stack, "SweeperSpec", spec),
    timeoutS: 60,
    memoryMb: 256,
    statements: [
      useTable(stage, "sweep"),
      // What queues have refused is sent by the routes of now.
      useObjects(stage, "claims"),
      readObjects(stage, "topologies"),
      sendToActors(stage),
      // Behind what a source has there, where it is to be grouped otherwise.
      sendToBus(stage),
    ],
  });
  const invoke = new CfnEventInvokeConfig(stack, "SweeperInvoke", {
    functionName: names.sweeper,
    qualifier: "$LATEST",
    ...ONCE,
  });
  const schedule = new CfnSchedule(stack, "Sweeps", {
    name: names.sweeper,
    groupName: names.scheduleGroup,
    description: "Looks after sources, breakers, refused deliveries and inboxes",
    scheduleExpression: "rate(1 minute)",
    flexibleTimeWindow: { mode: "FLEXIBLE", maximumWindowInMinutes: 1 },
    target: {
      arn: functionArn(names.sweeper),
      roleArn: scheduleRole(stack, "SweepsRole", stage, names.sweeper).attrArn,
      retryPolicy: ONCE,
    },
  });
  for (const one of [invoke, schedule]) one.addDependency(sweeper);
  schedule.addDependency(group);
}
