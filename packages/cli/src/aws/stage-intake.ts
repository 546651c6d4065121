import { type Intake, readIntakes } from "@orgloop/aws/plan";
import type { LoadedProject } from "@orgloop/config";
import type { SourceSpec, Topology } from "@orgloop/sdk";

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

/**
 * Which sources of what is deployed are polled. Where a connector cannot be loaded here, those that
 * say an interval: a source that is sent its events must not be called stale.
 */
export async function polledThere(
  { projectDir }: Pick<LoadedProject, "projectDir">,
  topology: Topology,
): Promise<(source: SourceSpec) => boolean> {
  const { pluginLookup } = await import("@orgloop/node");
  try {
    const intake = await readIntakes(topology, pluginLookup({ projectDir }));
    return (source) => intake(source).polled;
  } catch {
    return ({ poll }) => poll !== undefined;
  }
}
