import { type Intake, readIntakes } from "@orgloop/aws/plan";
import type { LoadedProject } from "@orgloop/config";
import type { Topology } from "@orgloop/sdk";

/**
 * How events come from the project's sources. What cannot be loaded counts as both: `validate` says
 * what is wrong with it.
 */
export async function stageIntake(
  { projectDir }: Pick<LoadedProject, "projectDir">,
  topology: Topology,
): Promise<Intake> {
  const { pluginLookup } = await import("@orgloop/node");
  return readIntakes(topology, pluginLookup({ projectDir })).catch(() => () => ({
    polled: true,
    received: true,
  }));
}
