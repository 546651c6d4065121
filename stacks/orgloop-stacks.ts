import { awsNames, MAX_RESOURCES, pollerGroups, stacksOf } from "@orgloop/aws/plan";
import { CfnResource, type Stack, Tags } from "aws-cdk-lib";
import { actors } from "./actors.ts";
import { busGroupings } from "./bus-groupings.ts";
import { ingress } from "./ingress.ts";
import { observability } from "./operate/observability.ts";
import { pollers } from "./pollers.ts";
import { routing } from "./routing.ts";
import { schedules } from "./schedules.ts";
import type { StackFactory, Stage, StageInput } from "./stage.ts";
import { storage } from "./storage.ts";

/**
 * Everything of a stage, in the order in which it can be deployed without losing an event: storage
 * → actors → router → pollers and ingress → what looks at them. Throws where a stack would have
 * more resources than CloudFormation takes.
 */
export function orgloopStacks(newStack: StackFactory, input: StageInput): readonly Stack[] {
  const names = awsNames(input.stage);
  const stack: StackFactory = (id, text) => newStack(`${names.prefix}${id}`, text);
  const drained = input.draining.flatMap(({ routes }) => routes);
  const routes = Map.groupBy([...input.topology.routes, ...drained], ({ then }) => then.actor);
  const routesTo = (actor: string) => routes.get(actor) ?? [];
  const former = Map.groupBy(input.former, ({ then }) => then.actor);
  const formerTo = (actor: string) => former.get(actor) ?? [];
  // What a stage was created without is written down with the first deploy that knows it.
  const layout = { ...input.layout, alarms: stacksOf(input.layout, "alarms") };
  const groupings = busGroupings(input.topology);
  const stage: Stage = { ...input, layout, names, stack, routesTo, formerTo, groupings };
  const { sources } = stage.topology;
  const polled = pollerGroups(
    stage.topology,
    sources.filter((source) => stage.intake(source).polled),
  );
  const received = sources.filter((source) => stage.intake(source).received);
  const parts: readonly (readonly Stack[])[] = [
    [storage(stage)],
    actors(stage),
    [routing(stage)],
    pollers(stage, polled),
    [...schedules(stage, polled), ingress(stage, received)].filter((it) => it !== null),
    ...observability(stage),
  ];
  // What waits for a part that has no stack waits for what that would have waited for.
  const rows = parts.filter((part) => part.length > 0);
  for (const [at, row] of rows.entries()) {
    for (const one of row) {
      for (const before of rows[at - 1] ?? []) one.addDependency(before);
      for (const [key, value] of Object.entries(stage.topology.aws?.tags ?? {})) {
        Tags.of(one).add(key, value);
      }
    }
  }
  const all = rows.flat();
  for (const one of all) refuseTooMany(one);
  return all;
}

function refuseTooMany(stack: Stack): void {
  const count = stack.node.findAll().filter((it) => CfnResource.isCfnResource(it)).length;
  if (count <= MAX_RESOURCES) return;
  throw new Error(
    `stack ${stack.stackName} would have ${count} resources, and CloudFormation takes 500: in how many stacks a stage lies is decided when it is created, so deploy this workspace as a new stage`,
  );
}
