import { ingressLimit, ingressOf, quotaFindings, stageSize } from "@orgloop/aws/plan";
import { type LoadedProject, settingOrigin } from "@orgloop/config";
import type { Problem } from "@orgloop/sdk";
import { stageIntake } from "./stage-intake.ts";

/**
 * What a deploy to a new account would fail of: warnings, since the account may have more by now
 * (`orgloop doctor` asks it). None where the workspace is not on AWS.
 */
export async function quotaWarnings(
  project: Pick<LoadedProject, "topology" | "projectDir" | "provenance">,
): Promise<readonly Problem[]> {
  const { topology, provenance } = project;
  if (topology?.bus.url !== "sqs") return [];
  const origin = settingOrigin(provenance, ["bus"]);
  const size = stageSize(topology, await stageIntake(project, topology));
  const { concurrency } = topology.aws ?? {};
  return quotaFindings(size, (quota) =>
    quota.size === "concurrency" ? (concurrency ?? null) : null,
  )
    .filter(({ level }) => level === "over")
    .map(({ quota, needed, limit, advice }) => ({
      file: origin?.file ?? "",
      line: origin?.line ?? 1,
      column: origin?.column ?? 1,
      path: "bus",
      message: `the stage needs ${needed} ${quota.label}, ${quota.size === "concurrency" && concurrency !== undefined ? `aws.concurrency is ${limit}` : `an account has ${limit} where nothing was raised`}: ${advice}`,
      code: "aws-quota",
    }));
}

/** How many webhooks a workspace on AWS takes; nothing where none come in. */
export async function webhookLimit(
  project: Pick<LoadedProject, "topology" | "projectDir">,
): Promise<readonly string[]> {
  const { topology } = project;
  if (topology?.bus.url !== "sqs" || ingressOf(topology.aws).kind === "none") return [];
  const intake = await stageIntake(project, topology);
  const receives = topology.sources.some((source) => intake(source).received);
  return receives ? [ingressLimit(topology.aws)] : [];
}
