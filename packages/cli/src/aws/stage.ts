import type { OpenStage, StageOptions } from "@orgloop/aws/operate";
import type { LoadedProject } from "@orgloop/config";
import { hasCode } from "@orgloop/sdk";
import type { CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";

/** The stage that the workspace is on AWS; null where it runs in a process. */
export function stageOf(
  { flags }: Pick<CommandContext, "flags">,
  { topology }: Pick<LoadedProject, "topology">,
): StageOptions | null {
  if (topology?.bus.url !== "sqs") return null;
  const region = topology.aws?.region;
  return { workspace: flags.workspace, ...(region !== undefined && { region }) };
}

const UNASKED = ["AWS_NO_CREDENTIALS", "AWS_NO_REGION"];

/** True where nobody at AWS could be asked, since nobody here has logged in. */
export const isUnasked = (error: unknown): boolean => UNASKED.some((code) => hasCode(error, code));

/** Speaks to the stage with the usual AWS credentials; what it takes is loaded only then. */
export async function onStage<Result>(
  options: StageOptions,
  use: (stage: OpenStage, operate: typeof import("@orgloop/aws/operate")) => Promise<Result>,
): Promise<Result> {
  const operate = await import("@orgloop/aws/operate");
  return operate.withStage(options, (stage) => use(stage, operate));
}

/** Refuses a command that needs a process of one's own: `RUNS_ON_AWS`. */
export function refuseOnStage(
  context: Pick<CommandContext, "flags">,
  project: Pick<LoadedProject, "topology">,
  instead: string,
): void {
  const stage = stageOf(context, project);
  if (stage === null) return;
  const message = `the workspace "${stage.workspace}" is a stage on AWS, no process: ${instead.replaceAll("STAGE", stage.workspace)}`;
  throw new CommandError("RUNS_ON_AWS", message);
}
