import { type AlarmPlan, alarmed, alarmPlan } from "@orgloop/aws/plan";
import { Aws, CfnOutput, CfnWaitConditionHandle, type Stack } from "aws-cdk-lib";
import { CfnDashboard } from "aws-cdk-lib/aws-cloudwatch";
import { CfnSubscription, CfnTopic } from "aws-cdk-lib/aws-sns";
import { shardStacks } from "../shard-stacks.ts";
import type { Stage } from "../stage.ts";
import { makeAlarms } from "./alarms.ts";
import { dashboardBody } from "./dashboard.ts";

/**
 * What looks at a stage, in the order in which it is made, since an alarm on alarms needs those
 * that it names: the alarms of actors and functions in stacks of their own, dashboard and alarms of
 * the whole, and what tells of actors.
 */
export function observability(stage: Stage): readonly (readonly Stack[])[] {
  const of = alarmed({ ...stage, workspace: stage.stage });
  const plan = alarmPlan(of);
  return [itemStacks(stage, plan, of.keys), [overview(stage, plan)], [alertStack(stage, plan)]];
}

function itemStacks(stage: Stage, plan: AlarmPlan, keys: readonly string[]): readonly Stack[] {
  const shards = shardStacks(stage, "alarms", "alarms of actors and functions", keys);
  const made = new Set<Stack>();
  for (const key of keys) {
    const stack = shards.of(key);
    if (made.has(stack)) continue;
    made.add(stack);
    const shard = Number(stack.stackName.slice(stack.stackName.lastIndexOf("-") + 1));
    const { metric = [], composite = [] } = plan.items.get(shard) ?? {};
    makeAlarms(stack, stage, metric, composite);
  }
  return shards.stacks;
}

/** One dashboard a workspace, and the alarms that are of no actor. */
function overview(stage: Stage, plan: AlarmPlan): Stack {
  const { names, topology } = stage;
  const stack = stage.stack("observability", "OrgLoop: dashboard and alarms");
  new CfnDashboard(stack, "Overview", {
    dashboardName: names.dashboard,
    dashboardBody: JSON.stringify(
      dashboardBody({
        ...{ stage: stage.stage, project: topology.project },
        ...{ region: Aws.REGION, account: Aws.ACCOUNT_ID },
        alarms: shownAlarms(stage, plan),
      }),
    ),
  });
  topic(stack, stage);
  makeAlarms(stack, stage, plan.stage.metric, plan.stage.composite);
  new CfnOutput(stack, "Dashboard", {
    value: `https://${Aws.REGION}.console.aws.amazon.com/cloudwatch/home?region=${Aws.REGION}#dashboards/dashboard/${names.dashboard}`,
  });
  return stack;
}

/**
 * Those that tell, and in which stack of them actors are ill; on an emulator those that there are.
 * A widget takes 100.
 */
function shownAlarms({ plainAlarms }: Stage, { stage, items }: AlarmPlan): readonly string[] {
  if (plainAlarms) return stage.metric.filter((one) => !one.expression).map((one) => one.subject);
  const causes = stage.composite.filter(({ wakes }) => wakes).map(({ subject }) => subject);
  const ill = [...items.keys()].map((shard) => `actors-ill-${shard}`);
  const made = new Set([...items.values()].flatMap((set) => set.composite.map((it) => it.subject)));
  return [...causes, ...ill.filter((subject) => made.has(subject))].slice(0, 100);
}

/**
 * Not under the customer's key: without a grant in that key's own policy CloudWatch could not
 * publish, and nobody would hear of it.
 */
function topic(stack: Stack, { names, topology }: Stage): void {
  const emails = topology.aws?.alarms?.emails ?? [];
  if (emails.length === 0) return;
  const made = new CfnTopic(stack, "Alarms", { topicName: names.alarmTopic });
  for (const [at, endpoint] of emails.entries()) {
    new CfnSubscription(stack, `Email${at}`, {
      topicArn: made.ref,
      protocol: "email",
      endpoint,
    });
  }
}

function alertStack(stage: Stage, plan: AlarmPlan): Stack {
  const stack = stage.stack("alerts", "OrgLoop: alarms that tell of actors");
  // A stack needs a resource, also where there is no actor.
  new CfnWaitConditionHandle(stack, "Shard");
  makeAlarms(stack, stage, [], plan.actors);
  return stack;
}
