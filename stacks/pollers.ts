import type { Group } from "@orgloop/aws/plan";
import { sourceKey } from "@orgloop/aws/state";
import { type SourceSpec, withoutSchemas } from "@orgloop/sdk";
import type { Stack } from "aws-cdk-lib";
import { CfnEventInvokeConfig } from "aws-cdk-lib/aws-lambda";
import { CfnScheduleGroup } from "aws-cdk-lib/aws-scheduler";
import { keyedOf } from "./bus-groupings.ts";
import { lambdaFunction } from "./functions/lambda-function.ts";
import { specValue } from "./functions/spec-value.ts";
import { readSecrets, sendToBus, useTable, writeObjects } from "./grants.ts";
import { shardStacks } from "./shard-stacks.ts";
import type { Stage } from "./stage.ts";
import { sweeps } from "./sweeps.ts";

/** The rest of a long look-back comes with the next tick: every page moves the checkpoint. */
const TIMEOUT_S = 300;

/** The poller functions, each in the shard of its group's key, and the group of all schedules. */
export function pollers(stage: Stage, groups: readonly Group<SourceSpec>[]): readonly Stack[] {
  const common = stage.stack("schedules", "OrgLoop: what all schedules share");
  const schedules = new CfnScheduleGroup(common, "Schedules", { name: stage.names.scheduleGroup });
  const polled = groups.flatMap(({ items }) => items);
  sweeps(common, stage, schedules, polled);
  const shards = shardStacks(
    stage,
    "pollers",
    "pollers",
    groups.map(({ key }) => key),
  );
  for (const group of groups) addPoller(shards.of(group.key), stage, group);
  return [common, ...shards.stacks];
}

function addPoller(stack: Stack, stage: Stage, group: Group<SourceSpec>): void {
  const { names, topology } = stage;
  const name = names.poller(group.key);
  const id = name.slice(names.prefix.length);
  const poller = lambdaFunction(stack, id, stage, {
    kind: "poll",
    name,
    description: `Polls ${group.key}`,
    packages: [group.connector],
    spec: specValue(stack, `${id}Spec`, {
      project: topology.project,
      sources: group.items,
      keyed: keyedOf(stage, group.items),
      ...(topology.network ? { network: topology.network } : {}),
    }),
    timeoutS: TIMEOUT_S,
    memoryMb: 512,
    statements: [
      sendToBus(stage),
      useTable(stage, "poll", sourceItems(group.items)),
      writeObjects(stage, "claims"),
      ...readSecrets(stage, group.items.map(withoutSchemas)),
    ],
  });
  // The next tick is the retry; a second attempt of this one would meet the lease of the first.
  const invoke = new CfnEventInvokeConfig(stack, `${id}-invoke`, {
    functionName: name,
    qualifier: "$LATEST",
    maximumRetryAttempts: 0,
    maximumEventAgeInSeconds: 60,
  });
  invoke.addDependency(poller);
}

/** Sources of one role that are named each. */
const MOST_NAMED = 30;

/** A poller moves the checkpoints of its own sources. */
const sourceItems = (sources: readonly SourceSpec[]) =>
  sources.length > MOST_NAMED ? {} : { source: sources.map(({ id }) => sourceKey(id).pk) };
