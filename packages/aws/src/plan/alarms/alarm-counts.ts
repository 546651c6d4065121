import type { Topology } from "@orgloop/sdk";
import { awsNames } from "../aws-names.ts";
import { newLayout } from "../layout.ts";
import type { Intake } from "../stage-size.ts";
import { alarmPlan } from "./alarm-plan.ts";
import { alarmed } from "./alarmed.ts";

/** How a stage is called makes none more. */
const ANY = "stage";

/** What AWS charges alarms by: metrics that they watch, and alarms on alarms. */
export function alarmCounts(
  topology: Topology,
  intake: Intake,
): { readonly metrics: number; readonly composites: number } {
  const { items, stage, actors } = alarmPlan(
    alarmed({
      ...{ workspace: ANY, names: awsNames(ANY), topology, intake },
      layout: newLayout(topology),
      routesTo: () => [],
    }),
  );
  const sets = [...items.values(), stage];
  const metrics = sets
    .flatMap(({ metric }) => metric)
    .reduce((sum, { metrics: of }) => sum + Object.keys(of).length, 0);
  const composites = sets.reduce((sum, { composite }) => sum + composite.length, actors.length);
  return { metrics, composites };
}
