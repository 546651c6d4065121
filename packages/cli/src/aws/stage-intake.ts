import type { LoadedProject } from "@orgloop/config";
import { type Intake, readIntakes } from "@orgloop/config/aws";
import type { Topology } from "@orgloop/sdk";

/** How events come from the project's sources. What cannot be loaded counts as both: `validate` says what is wrong with it. */
export async function stageIntake(
  { projectDir }: Pick<LoadedProject, "projectDir">,
  topology: Topology,
): Promise<Intake> {
  const { pluginLookup } = await import("@orgloop/runtime");
  return readIntakes(topology, pluginLookup({ projectDir })).catch(() => () => ({
    polled: true,
    received: true,
  }));
}
