import type { Stack } from "aws-cdk-lib";
import { CfnEventInvokeConfig } from "aws-cdk-lib/aws-lambda";
import { CfnSchedule, type CfnScheduleGroup } from "aws-cdk-lib/aws-scheduler";
import { functionArn } from "./arns.ts";
import { lambdaFunction } from "./functions/lambda-function.ts";
import { sendToActors, useObjects, useTable } from "./grants.ts";
import { scheduleRole } from "./schedules.ts";
import type { Stage } from "./stage.ts";

/** The next minute is the retry. */
const ONCE = { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 };

/** The function that buries what nobody fetches from inboxes, once a minute. */
export function inboxSweep(stack: Stack, stage: Stage, group: CfnScheduleGroup): void {
  const { names } = stage;
  const sweeper = lambdaFunction(stack, "Sweeper", stage, {
    kind: "sweep",
    name: names.sweeper,
    description: "Looks after the inboxes",
    packages: [],
    spec: { value: "{}" },
    timeoutS: 60,
    memoryMb: 256,
    statements: [useTable(stage), useObjects(stage, "claims"), sendToActors(stage)],
  });
  const invoke = new CfnEventInvokeConfig(stack, "SweeperInvoke", {
    functionName: names.sweeper,
    qualifier: "$LATEST",
    ...ONCE,
  });
  const schedule = new CfnSchedule(stack, "Sweeps", {
    name: names.sweeper,
    groupName: names.scheduleGroup,
    description: "Looks after the inboxes",
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
