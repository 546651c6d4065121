import path from "node:path";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { planReportText } from "../plan/plan-report-text.ts";
import { briefLimits, WHOLE } from "../plan/plan-text.ts";
import { planReport, surveyPlan } from "../plan/survey-plan.ts";
import { warnOf } from "../plan/warn-of.ts";
import { readValidProject } from "../project/read-project.ts";

export interface PlanOptions {
  readonly out?: string;
  readonly detailedExitcode?: boolean;
  /** A file or directory; true: the record of the running system. */
  readonly events?: string | true;
}

/** `orgloop plan`: what was applied → what the files say. */
export const plan: Command<PlanOptions> = async (context, _args, options) => {
  const { flags, output } = context;
  const { out, detailedExitcode = false, events } = options;
  try {
    const project = await readValidProject(context, { plugins: true });
    warnOf(project.warnings, output);
    const survey = await surveyPlan(context, project, project.topology);
    if (out !== undefined) {
      const { savePlan } = await import("../plan/saved-plan.ts");
      await savePlan(path.resolve(out), survey);
    }
    const behaviour =
      events === undefined
        ? null
        : await import("../plan/behaviour.ts").then(async ({ behaviourOf, behaviourLines }) => {
            const found = await behaviourOf(context, survey, events);
            return { found, lines: behaviourLines(found, output.style) };
          });
    const limits = flags.verbose ? WHOLE : briefLimits(survey.plan);
    output.result(
      flags.json ? { ...planReport(survey), ...(behaviour && { events: behaviour.found }) } : null,
      flags.json
        ? ""
        : [planReportText(survey, limits, output.style), ...(behaviour?.lines ?? [])].join("\n"),
    );
    if (out !== undefined) output.note(`Saved; \`orgloop apply ${out}\` does exactly this.`);
    return detailedExitcode && survey.plan.changes.length > 0 ? 2 : 0;
  } catch (error) {
    // 2 says that there are changes.
    if (!detailedExitcode || !(error instanceof CommandError)) throw error;
    throw new CommandError(error.code, error.message, { cause: error });
  }
};
