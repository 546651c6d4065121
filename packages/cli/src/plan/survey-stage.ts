import type { StageOptions } from "@orgloop/aws/operate";
import { type LoadedProject, planTopology } from "@orgloop/config";
import { type GroupingChange, groupingChanges } from "@orgloop/engine";
import { hasCode, messageOf, type Topology } from "@orgloop/sdk";
import { isUnasked, onStage } from "../aws/stage.ts";
import type { CommandContext } from "../command.ts";
import { counted } from "../terminal/counted.ts";
import { NOTHING_APPLIED, type SurveyedPlan } from "./surveyed-plan.ts";

/**
 * What the last deploy applied against `desired`. A stage that is not deployed has nothing applied.
 */
export async function surveyStage(
  { output }: Pick<CommandContext, "output">,
  options: StageOptions,
  project: LoadedProject,
  desired: Topology,
): Promise<SurveyedPlan> {
  const found = await onStage(options, async (stage, { actorQueueCounts }) => {
    const topology = await stage.topology();
    const kept = new Set(desired.actors.map(({ id }) => id));
    const removed = topology.actors.map(({ id }) => id).filter((id) => !kept.has(id));
    const queues = await actorQueueCounts(stage, removed);
    return { topology, applied: stage.applied, queues };
  }).catch((error) => {
    if (hasCode(error, "NO_STAGE")) return null;
    if (!isUnasked(error)) throw error;
    output.warn(`what is deployed is not known, so that everything is new: ${messageOf(error)}`);
    return null;
  });
  for (const [actor, { waiting, inFlight }] of found?.queues ?? []) {
    const count = waiting + inFlight;
    if (count === 0) continue;
    const events = counted(count, "delivery", "deliveries");
    output.warn(`actor ${actor}: ${events} in its queue; it stays as draining until they are done`);
  }
  for (const change of found === null ? [] : groupingChanges(found.topology, desired)) {
    output.warn(groupingText(change));
  }
  const applied = found && {
    ...found.applied,
    format_version: "1.0" as const,
    topology: found.topology,
  };
  return {
    project,
    workspace: options.workspace,
    dataDir: "",
    applied,
    plan: planTopology(applied?.topology ?? null, desired),
    desired,
    // A stage takes none that is written out.
    sealed: desired,
    state: applied === null ? NOTHING_APPLIED : { serial: applied.serial, hash: applied.hash },
    running: null,
    drift: null,
    // A removed actor drains before it goes; checkpoints stay in the table.
    losses: [],
  };
}

/** What a source's order on the bus comes to, and when. */
function groupingText({ source, to: { by, because } }: GroupingChange): string {
  const how =
    by === "key"
      ? "its events will be grouped on the bus by their ordering keys"
      : `its events will be one group on the bus, one after the other${because === null ? "" : `: the route "${because}" needs that`}`;
  return `source ${source}: ${how}. Until what it has there is routed they are grouped as before`;
}
