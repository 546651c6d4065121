import type { Problem } from "@orgloop/sdk";
import { counted } from "../terminal/counted.ts";
import type { Output } from "../terminal/output.ts";
import type { Problems, WorkspaceProblem } from "./every-workspace.ts";
import { problemLine } from "./read-project.ts";

/** More places than these are counted. */
const MOST_PLACES = 3;

interface ReportOptions {
  /** How many were looked at. */
  readonly workspaces: number;
  /** Lines that stand before the sum. */
  readonly limits?: readonly string[];
  readonly style: Output["style"];
}

/**
 * The problems for people: one line each, `file:line:column: message [error code]`. What is said of
 * several places is said once, with the other places below.
 */
export function problemReport(
  { errors, warnings }: Problems,
  { workspaces, limits = [], style }: ReportOptions,
): string {
  const lines = (severity: "error" | "warning", problems: readonly WorkspaceProblem[]) =>
    [...Map.groupBy(problems, sameMistake).values()].flatMap((group) => {
      const [first, ...others] = group as [WorkspaceProblem, ...WorkspaceProblem[]];
      const label = style(severity === "error" ? "red" : "yellow", `[${severity} ${first.code}]`);
      return [
        `${problemLine(first)}${inWorkspaces(first, workspaces)} ${label}`,
        ...(others.length === 0 ? [] : [`  the same at ${places(others)}`]),
      ];
    });
  const mark = errors.length === 0 ? "✓" : "✗";
  const total = `${counted(errors.length, "error")}, ${counted(warnings.length, "warning")}`;
  return [
    ...lines("error", errors),
    ...lines("warning", warnings),
    ...limits,
    `${total} ${mark}`,
  ].join("\n");
}

const sameMistake = ({ code, message, workspaces }: WorkspaceProblem) =>
  JSON.stringify([code, message, workspaces]);

function inWorkspaces({ workspaces }: WorkspaceProblem, all: number): string {
  if (workspaces === undefined || workspaces.length === all) return "";
  return ` (workspace${workspaces.length === 1 ? "" : "s"} ${workspaces.join(", ")})`;
}

function places(problems: readonly Problem[]): string {
  const shown = problems
    .slice(0, MOST_PLACES)
    .map(({ file, line, column }) => `${file}:${line}:${column}`);
  const more = problems.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}
