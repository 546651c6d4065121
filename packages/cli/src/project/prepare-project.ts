import { readEnvironment } from "@orgloop/config";
import type { ProjectOptions, ProjectRequest } from "@orgloop/node";
import { formatEntry } from "@orgloop/sdk";
import { refuseOnStage } from "../aws/stage.ts";
import type { CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { dataDirectory, namesake } from "../process/data-directory.ts";
import { findProcess } from "../process/running-process.ts";
import { requireVariables } from "./missing-variables.ts";
import { invalidProject, problemLine, readValidProject } from "./read-project.ts";

const CONSOLE_LOGGER = "@orgloop/logger-console";

/** Warnings of `validate` that are errors of a start. */
const REFUSED_BELOW = new Set(["missing-variable", "empty-secret"]);

export interface PreparedProject {
  readonly options: ProjectOptions;
  /** By which it is loaded again. */
  readonly request: ProjectRequest;
}

/**
 * Reads the project that the flags name, as far as it needs to run. Throws its errors (exit status
 * 2), `MISSING_VARIABLES`, and `ALREADY_RUNNING` where another process works on its data.
 */
export async function prepareProject(
  context: CommandContext,
  { showEntries = false }: { readonly showEntries?: boolean } = {},
): Promise<PreparedProject> {
  const { env, flags, output } = context;
  const project = await readValidProject(context, { plugins: true });
  refuseOnStage(
    context,
    project,
    "`orgloop deploy -w STAGE` starts it; to run it here, give it another bus",
  );
  for (const warning of project.warnings) {
    if (!REFUSED_BELOW.has(warning.code)) output.warn(problemLine(warning));
  }
  const { topology, projectDir } = project;
  const empty = project.warnings.filter(({ code }) => code === "empty-secret");
  if (empty.length > 0) throw invalidProject(empty);
  requireVariables(topology, project, readEnvironment(projectDir, env));
  const { dataDir, displacedBy } = dataDirectory(context, project);
  if (displacedBy !== null) {
    output.note(`The project "${displacedBy}" has the usual place; state goes to ${dataDir}`);
  }
  await refuseSecond(context, dataDir);
  const other = namesake(dataDir, projectDir);
  if (other !== null) {
    output.warn(
      `a project "${topology.project}" in ${other} ran on this state last (${dataDir}): where they are two, give one another metadata.name`,
    );
  }
  const { pluginLookup } = await import("@orgloop/node");
  const own = topology.loggers.some(({ type }) => type === CONSOLE_LOGGER);
  const options: ProjectOptions = {
    topology,
    projectDir,
    dataDir,
    env,
    lookup: pluginLookup({ projectDir }),
    ...(showEntries &&
      !own && { onEntry: (entry) => output.note(formatEntry(entry, output.noteStyle)) }),
  };
  return { options, request: { configPath: flags.config, projectDir, workspace: flags.workspace } };
}

/** The context of a project that a request names, as if the command had been given there. */
export function requestedContext(
  context: CommandContext,
  { configPath, projectDir, workspace = "default" }: ProjectRequest,
): CommandContext {
  const config = configPath ?? (projectDir as string);
  return { ...context, flags: { ...context.flags, config, configGiven: true, workspace } };
}

async function refuseSecond({ home }: CommandContext, dataDir: string): Promise<void> {
  const found = await findProcess(home, dataDir);
  if (found === null || found.pid === process.pid) return;
  const { pid, port, projectDir } = found;
  const message = `already running: process ${pid} (${projectDir}, port ${port}) works on ${dataDir}; \`orgloop stop\` ends it`;
  throw new CommandError("ALREADY_RUNNING", message);
}
