import type { LoadedProject } from "@orgloop/config";
import type { Problem } from "@orgloop/sdk";
import type { Command } from "../command.ts";
import { problemLine, readProject } from "../project/read-project.ts";
import type { Output } from "../terminal/output.ts";

/**
 * `orgloop validate`: exit status 0, or 2 where there are errors; also in the file of a workspace
 * that is not selected.
 */
export const validate: Command = async (context) => {
  const project = await readProject(context, { plugins: true, everyWorkspace: true });
  const { errors, provenance } = project;
  const { quotas, limits } = await ofStage(project);
  const warnings = [...project.warnings, ...quotas];
  const valid = errors.length === 0;
  const report = { errors, warnings, provenance };
  const text = context.flags.json ? "" : humanReport({ ...report, limits }, context.output);
  context.output.result({ valid, errors, warnings }, text);
  return valid ? 0 : 2;
};

/** Loaded only where the workspace is on AWS. */
async function ofStage(
  project: LoadedProject,
): Promise<{ readonly quotas: readonly Problem[]; readonly limits: readonly string[] }> {
  if (project.topology?.bus.url !== "sqs") return { quotas: [], limits: [] };
  const { quotaWarnings, webhookLimit } = await import("../aws/quota-warnings.ts");
  return { quotas: await quotaWarnings(project), limits: await webhookLimit(project) };
}

type Report = Pick<LoadedProject, "provenance" | "errors" | "warnings"> & {
  /** What the workspace takes where it is deployed. */
  readonly limits: readonly string[];
};

function humanReport({ provenance, errors, warnings, limits }: Report, output: Output): string {
  const faulty = new Set(errors.map((problem) => problem.file));
  const sound = [...provenance.documents.values()].filter(({ file }) => !faulty.has(file));
  const problem = (severity: string) => (it: Problem) => {
    const label = output.style(severity === "error" ? "red" : "yellow", `[${severity} ${it.code}]`);
    return `${problemLine(it)} ${label}`;
  };
  return [
    ...sound.map(({ file, value }) => `${output.style("green", "✓")} ${file}${description(value)}`),
    ...errors.map(problem("error")),
    ...warnings.map(problem("warning")),
    ...limits,
    `${errors.length} errors, ${warnings.length} warnings ${errors.length === 0 ? "✓" : "✗"}`,
  ].join("\n");
}

/** ` — what the file says of itself`, or nothing. */
function description(value: unknown): string {
  const { metadata } = (value ?? {}) as { metadata?: { name?: unknown; description?: unknown } };
  const text = metadata?.description ?? metadata?.name;
  return typeof text === "string" ? ` — ${text}` : "";
}
