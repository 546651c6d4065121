import path from "node:path";
import { type PlanState, planTopology, topologyHash } from "@orgloop/config";
import { hasCode, messageOf, type Topology } from "@orgloop/sdk";
import { refuseOnStage } from "../aws/stage.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandError, exitStatusOf } from "../command-error.ts";
import { planReportText } from "../plan/plan-report-text.ts";
import { briefLimits, WHOLE } from "../plan/plan-text.ts";
import type { RunningState } from "../plan/running-state.ts";
import { type SavedPlan, stateName } from "../plan/saved-plan.ts";
import { planReport, surveyPlan } from "../plan/survey-plan.ts";
import type { SurveyedPlan } from "../plan/surveyed-plan.ts";
import { warnOf } from "../plan/warn-of.ts";
import { projectName } from "../process/data-directory.ts";
import { type ControlError, callProcess, findProcess } from "../process/running-process.ts";
import { uncoveredUses } from "../project/missing-variables.ts";
import { invalidProject, readProject, readValidProject } from "../project/read-project.ts";

/** What the process answers. */
interface Applied {
  readonly serial: number;
  readonly hash: string;
  /** What was made anew since a value behind its references has changed. */
  readonly renewed: readonly string[];
}

/**
 * `orgloop apply [FILE]`: makes what runs what the files, or a saved plan, say; without a restart.
 */
export const apply: Command = async (context, [file]) => {
  const { flags, output } = context;
  const survey =
    file === undefined
      ? await surveyFiles(context)
      : await surveySaved(context, path.resolve(file));
  const { running, sealed, plan } = survey;
  if (running === null) throw await notRunning(context, survey);
  const limits = flags.verbose ? WHOLE : briefLimits(survey.plan);
  if (!flags.json) output.write(`${planReportText(survey, limits, output.style)}\n`);
  const settled = plan.changes.length === 0 && running.hash === topologyHash(sealed);
  // Also without a change: what stands in the `.env` may be another value by now.
  const { renewed, ...state } = await send(context, survey, running);
  const { serial, hash } = state;
  if (flags.json) {
    output.result(
      { ...planReport(survey), applied: { changed: !settled, serial, hash, renewed } },
      "",
    );
  } else if (!settled) {
    const { summary } = planTopology(running.topology, sealed);
    output.write(`\n${output.style("green", `Applied ${stateName(state)}: ${summary}`)}\n`);
  }
  if (!flags.json && renewed.length > 0) {
    output.write(`New values of variables: ${renewed.join(", ")}\n`);
  }
  return 0;
};

const REFUSED_ON_STAGE = "`orgloop deploy -w STAGE` applies the configuration; nothing was applied";

async function surveyFiles(context: CommandContext): Promise<SurveyedPlan> {
  const project = await readValidProject(context, { plugins: true });
  warnOf(
    project.warnings.filter(({ code }) => code !== "missing-variable"),
    context.output,
  );
  refuseOnStage(context, project, REFUSED_ON_STAGE);
  return surveyPlan(context, project, project.topology);
}

/** A saved plan needs the files no more than to find the process: what it says is applied. */
async function surveySaved(context: CommandContext, file: string): Promise<SurveyedPlan> {
  const { readSavedPlan } = await import("../plan/saved-plan.ts");
  const saved = await readSavedPlan(file);
  const { workspace } = context.flags;
  if (saved.workspace !== workspace) {
    const message = `the plan is for the workspace "${saved.workspace}", here it is "${workspace}": add --workspace ${saved.workspace}`;
    throw new CommandError("OTHER_WORKSPACE", message);
  }
  const project = await readProject(context);
  const missing = project.errors.filter(({ code }) => code === "no-project");
  if (missing.length > 0) throw invalidProject(missing);
  const name = projectName(project);
  if (saved.project !== name) {
    const message = `the plan is for the project "${saved.project}", this is "${name}"; nothing was applied`;
    throw new CommandError("OTHER_PROJECT", message);
  }
  refuseOnStage(context, saved, REFUSED_ON_STAGE);
  const survey = await surveyPlan(context, project, saved.topology);
  if (survey.running === null) throw await notRunning(context, survey);
  const { state } = saved;
  for (const found of [survey.running, survey.state]) {
    if (found.serial !== state.serial || found.hash !== state.hash) throw stale(saved, found);
  }
  return survey;
}

function stale({ state }: SavedPlan, found: PlanState): CommandError {
  const message = `the plan was made from ${stateName(state)}, by now there is ${stateName(found)}: make a new plan; nothing was applied`;
  return new CommandError("STATE_MISMATCH", message);
}

async function notRunning(
  { home }: CommandContext,
  { workspace, dataDir }: SurveyedPlan,
): Promise<CommandError> {
  const found = await findProcess(home, dataDir);
  if (found !== null) {
    const message = `process ${found.pid} holds ${dataDir} but does not say what it runs: it starts, ends, hangs or is of another version; nothing was applied`;
    return new CommandError("NOT_ANSWERING", message);
  }
  const message = `nothing runs in the workspace "${workspace}" (${dataDir}): \`orgloop start\` applies the configuration as it starts`;
  return new CommandError("NOT_RUNNING", message);
}

async function send(
  { home, output }: CommandContext,
  { desired: topology, project }: SurveyedPlan,
  { process, serial, hash }: RunningState,
): Promise<Applied> {
  const json: { readonly topology: Topology; readonly expect: PlanState } = {
    topology,
    expect: { serial, hash },
  };
  output.progress("Applying ...");
  try {
    return await callProcess<Applied>(home, process, "/control/apply", { json });
  } catch (error) {
    if (hasCode(error, "NO_ANSWER")) {
      const message = `${messageOf(error)}: whether it was applied, wholly or not at all, \`orgloop plan\` says`;
      throw new CommandError("NO_ANSWER", message, { cause: error });
    }
    if (!hasCode(error, "CONTROL_FAILED")) throw error;
    const { reason, said } = error as ControlError & Error;
    const missing = reason === "MISSING_VARIABLES";
    throw new CommandError(
      reason ?? "NOT_APPLIED",
      `not applied, what ran before goes on: ${said}${missing ? uncoveredUses(project, said) : ""}`,
      { cause: error, exitStatus: exitStatusOf(reason) },
    );
  } finally {
    output.progress(null);
  }
}
