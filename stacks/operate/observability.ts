import { Aws, CfnOutput, type Stack } from "aws-cdk-lib";
import { CfnDashboard } from "aws-cdk-lib/aws-cloudwatch";
import type { Stage } from "../stage.ts";
import { alarms } from "./alarms.ts";
import { dashboardBody } from "./dashboard.ts";

/** One dashboard a workspace, and the alarms. */
export function observability(stage: Stage): Stack {
  const { names, topology } = stage;
  const stack = stage.stack("observability", "OrgLoop: dashboard and alarms");
  new CfnDashboard(stack, "Overview", {
    dashboardName: names.dashboard,
    dashboardBody: JSON.stringify(
      dashboardBody({ stage: stage.stage, project: topology.project, region: Aws.REGION }),
    ),
  });
  alarms(stack, stage);
  new CfnOutput(stack, "Dashboard", {
    value: `https://${Aws.REGION}.console.aws.amazon.com/cloudwatch/home?region=${Aws.REGION}#dashboards/dashboard/${names.dashboard}`,
  });
  return stack;
}
