import type { LoadedProject } from "@orgloop/config";
import type { Problem } from "@orgloop/sdk";
import type { Command, CommandContext } from "../command.ts";
import { mergedProblems, type Problems, readEveryWorkspace } from "../project/every-workspace.ts";
import { problemReport } from "../project/problem-report.ts";
import { readProject } from "../project/read-project.ts";

export interface ValidateOptions {
  /** Warnings are errors. */
  readonly strict?: boolean;
  /** Every workspace is resolved, not the selected one alone. */
  readonly allWorkspaces?: boolean;
}

/**
 * `orgloop validate`: exit status 0, or 2 where there are errors; also in the file of a workspace
 * that is not selected.
 */
export const validate: Command<ValidateOptions> = async (context, _args, options) => {
  const { flags, output } = context;
  const { projects, limits, ...found } = await problemsOf(context, options.allWorkspaces ?? false);
  const { errors, warnings }: Problems = options.strict
    ? { errors: [...found.errors, ...found.warnings], warnings: [] }
    : found;
  const valid = errors.length === 0;
  const style = output.style.bind(output);
  const text = flags.json
    ? ""
    : [
        ...soundFiles(projects, found).map((line) => `${style("green", "✓")} ${line}`),
        problemReport({ errors, warnings }, { workspaces: projects.length, limits, style }),
      ].join("\n");
  output.result({ valid, errors, warnings }, text);
  return valid ? 0 : 2;
};

interface Found extends Problems {
  readonly projects: readonly LoadedProject[];
  /** What the workspaces take where they are deployed. */
  readonly limits: readonly string[];
}

async function problemsOf(context: CommandContext, everyWorkspace: boolean): Promise<Found> {
  if (!everyWorkspace) {
    const project = await readProject(context, { plugins: true, everyWorkspace: true });
    const { errors, warnings } = project;
    const { quotas, limits } = await ofStage(project);
    return { projects: [project], errors, warnings: [...warnings, ...quotas], limits };
  }
  const loaded = await readEveryWorkspace(context);
  const warnings = [];
  const limits = [];
  for (const { workspace, project } of loaded) {
    const stage = await ofStage(project);
    warnings.push({ workspace, problems: [...project.warnings, ...stage.quotas] });
    limits.push(...stage.limits.map((limit) => `${workspace}: ${limit}`));
  }
  const errors = loaded.map(({ workspace, project }) => ({ workspace, problems: project.errors }));
  return {
    projects: loaded.map(({ project }) => project),
    errors: mergedProblems(errors),
    warnings: mergedProblems(warnings),
    limits,
  };
}

/** What AWS says of a workspace that is there; loaded only then. */
async function ofStage(
  project: LoadedProject,
): Promise<{ readonly quotas: readonly Problem[]; readonly limits: readonly string[] }> {
  if (project.topology?.bus.url !== "sqs") return { quotas: [], limits: [] };
  const { quotaWarnings, webhookLimit } = await import("../aws/quota-warnings.ts");
  return { quotas: await quotaWarnings(project), limits: await webhookLimit(project) };
}

/** The files without errors, each with what it says of itself. */
function soundFiles(projects: readonly LoadedProject[], { errors }: Problems): readonly string[] {
  const faulty = new Set(errors.map(({ file }) => file));
  const documents = projects.flatMap(({ provenance }) => [...provenance.documents.values()]);
  const sound = documents.filter(({ file }) => !faulty.has(file));
  return [...new Set(sound.map(({ file, value }) => `${file}${description(value)}`))];
}

/** ` — what the file says of itself`, or nothing. */
function description(value: unknown): string {
  const { metadata } = (value ?? {}) as { metadata?: { name?: unknown; description?: unknown } };
  const text = metadata?.description ?? metadata?.name;
  return typeof text === "string" ? ` — ${text}` : "";
}
