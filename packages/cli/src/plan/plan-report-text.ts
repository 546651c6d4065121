import { NOWHERE } from "@orgloop/config";
import type { Output } from "../terminal/output.ts";
import { lossText, type PlanLimits, planLines } from "./plan-text.ts";
import type { SurveyedPlan } from "./surveyed-plan.ts";

/**
 * At most so many destructive changes are listed at the top; each is marked at its place as well.
 */
const MAX_LOSSES = 20;

/**
 * What `plan` shows: the summary first, then what is lost, the changes, and apart from them what
 * runs otherwise.
 */
export function planReportText(
  survey: SurveyedPlan,
  limits: PlanLimits,
  style: Output["style"],
): string {
  const { plan, applied, workspace, losses, drift, running, project } = survey;
  const options = { project, losses, limits, style };
  const shown = losses.slice(0, MAX_LOSSES);
  const rest = losses.length - shown.length;
  const since =
    applied === null
      ? "nothing was applied yet"
      : `since serial ${applied.serial}, applied ${applied.applied_at}`;
  return [
    plan.summary,
    ...(plan.changes.length === 0 ? [] : [style("dim", `workspace ${workspace}; ${since}`)]),
    ...(losses.length === 0 ? [] : ["", style("red", "Destructive:")]),
    ...shown.map((loss) => `  ! ${loss.kind} ${loss.name}: ${lossText(loss)}`),
    ...(rest > 0 ? [`  … and ${rest} more`] : []),
    ...planLines(plan, options),
    ...(drift === null
      ? []
      : [
          "",
          style(
            "bold",
            `Drift: process ${running?.process.pid} runs something else than was applied: ${drift.summary}`,
          ),
          ...planLines(drift, { ...options, losses: [], project: UNWRITTEN }),
        ]),
  ].join("\n");
}

/** What runs stands in no file. */
const UNWRITTEN = { provenance: NOWHERE, instances: [], topology: null };
