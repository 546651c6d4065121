import { existsSync } from "node:fs";
import {
  type LoadedProject,
  NOWHERE,
  type Plan,
  type PlanDocument,
  type PlanState,
  planDocument,
  planTopology,
  type Seal,
  sealSecrets,
} from "@orgloop/config";
import type { AppliedState } from "@orgloop/node/applied-state";
import type { Topology } from "@orgloop/sdk";
import { stageOf } from "../aws/stage.ts";
import type { CommandContext } from "../command.ts";
import { dataDirectory } from "../process/data-directory.ts";
import { type Loss, lossesOf } from "./losses.ts";
import { runningState } from "./running-state.ts";
import { NOTHING_APPLIED, type SurveyedPlan } from "./surveyed-plan.ts";

/**
 * Compares what was applied in the workspace with `desired`, whether or not a process runs, and
 * both with what runs.
 */
export async function surveyPlan(
  context: CommandContext,
  project: LoadedProject,
  desired: Topology,
): Promise<SurveyedPlan> {
  const stage = stageOf(context, { topology: desired });
  if (stage !== null) {
    const { surveyStage } = await import("./survey-stage.ts");
    return surveyStage(context, stage, project, desired);
  }
  const { dataDir } = dataDirectory(context, project);
  const { applied, seal } = await readApplied(dataDir);
  const sealed = seal === null ? desired : sealSecrets(desired, seal);
  const routes = desired === project.topology ? project.routes : undefined;
  const plan = planTopology(applied?.topology ?? null, sealed, routes);
  const running = await runningState(context, dataDir);
  const drift =
    running === null || running.hash === applied?.hash
      ? null
      : planTopology(applied?.topology ?? null, running.topology);
  const losses =
    applied === null
      ? []
      : await lossesOf(context, {
          plan,
          from: applied.topology,
          to: desired,
          projectDir: project.projectDir,
          dataDir,
          running,
        });
  return {
    project,
    workspace: desired.workspace,
    dataDir,
    applied,
    plan,
    desired,
    sealed,
    state: applied === null ? NOTHING_APPLIED : { serial: applied.serial, hash: applied.hash },
    running,
    drift,
    losses,
  };
}

async function readApplied(
  dataDir: string,
): Promise<{ applied: AppliedState | null; seal: Seal | null }> {
  if (!existsSync(dataDir)) return { applied: null, seal: null };
  const { readAppliedState, readSeal } = await import("@orgloop/node/applied-state");
  const [applied, seal] = [await readAppliedState(dataDir), await readSeal(dataDir)];
  // An earlier version has kept them as they were written.
  return {
    applied: applied && {
      ...applied,
      topology: seal ? sealSecrets(applied.topology, seal) : applied.topology,
    },
    seal,
  };
}

/** What `plan --json` prints beside the fixed form (`docs/commands.md`). */
export interface PlanReport extends PlanDocument {
  /** What is lost by it. */
  readonly destructive: readonly Loss[];
  /** What runs is not what was applied; null where nothing runs, or both are the same. */
  readonly drift: Pick<PlanDocument, "state" | "summary" | "changes"> | null;
}

export function planReport(survey: SurveyedPlan): PlanReport {
  const { plan, drift, workspace, state, running, losses, project } = survey;
  const { provenance } = project;
  return {
    ...planDocument(plan, { workspace, state, provenance }),
    destructive: losses,
    drift: drift && driftDocument(drift, workspace, running ?? state),
  };
}

/** The changes of what runs stand in no file. */
function driftDocument(drift: Plan, workspace: string, { serial, hash }: PlanState) {
  const { state, summary, changes } = planDocument(drift, {
    workspace,
    state: { serial, hash },
    provenance: NOWHERE,
  });
  return { state, summary, changes };
}
