import { existsSync, readFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { askAccount, releaseAtExit, takeDeployLock } from "@orgloop/aws/deploy";
import { type Environment, loadProject } from "@orgloop/config";
import { OrgLoopError, type Problem, type Topology } from "@orgloop/sdk";

export interface PreflightOptions {
  /** What is done to the stage, as on the command line: `deploy`, `remove`, `secrets` … */
  readonly command: string;
  readonly projectDir: string;
  /** The workspace, as far as it was named. */
  readonly stage: string | undefined;
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  readonly env: Environment;
}

/** They change a stage: one at a time. */
const CHANGING = ["deploy", "remove"];

/**
 * What has to be right before anything is built or sent: the project, the workspace, the
 * credentials; and for what changes a stage, that nobody else does, until this process ends.
 * Resolves with the region. Throws what is wrong, in words that say what to do.
 */
export async function preflight(options: PreflightOptions): Promise<string> {
  const { command, stage, profile, env } = options;
  if (stage === undefined) {
    throw new OrgLoopError(
      "USAGE",
      "which workspace? --stage NAME names it: the stage is the workspace",
    );
  }
  const topology = await topologyOf(options, stage);
  const named = options.region ?? topology?.aws?.region ?? env.AWS_REGION;
  const { region } = await askAccount({ workspace: stage, region: named, profile });
  if (CHANGING.includes(command)) {
    const where = { stage, region, ...(profile !== undefined && { profile }) };
    const lock = await takeDeployLock({
      ...where,
      owner: `${userInfo().username} on ${hostname()} (${command}, process ${process.pid})`,
      force: env.ORGLOOP_FORCE_UNLOCK === "1",
      nowMs: Date.now(),
    });
    releaseAtExit(where, lock);
  }
  return region;
}

/**
 * Null where the configuration has errors that its own reader tells of, in a command that needs no
 * valid one.
 */
async function topologyOf(
  { command, projectDir, env }: PreflightOptions,
  stage: string,
): Promise<Topology | null> {
  if (!existsSync(projectDir)) {
    throw new OrgLoopError(
      "CONFIG_INVALID",
      `${projectDir} is not there: ORGLOOP_PROJECT names the folder of the project`,
    );
  }
  const { topology, errors } = await loadProject({ path: projectDir, workspace: stage, env });
  const fatal = errors.filter(({ code }) => code === "no-project" || code === "unknown-workspace");
  const reported = command === "secrets" ? fatal : errors;
  if (topology === null && reported.length > 0) throw invalid(reported);
  if (topology !== null && topology.bus.url !== "sqs") throw notSqs(topology, stage);
  return topology;
}

/** The configuration has errors: told as `orgloop validate` tells them. */
export function invalid(errors: readonly Problem[]): OrgLoopError {
  const listed = errors
    .map(({ file, line, column, message }) => `\n  ${file}:${line}:${column}: ${message}`)
    .join("");
  const count = errors.length === 1 ? "an error" : `${errors.length} errors`;
  return new OrgLoopError("CONFIG_INVALID", `the configuration has ${count}:${listed}`);
}

/** Only a workspace on `sqs` is a stage. */
export function notSqs({ project, bus }: Topology, stage: string): OrgLoopError {
  return new OrgLoopError(
    "CONFIG_INVALID",
    `workspace "${stage}" of ${project} has the bus ${bus.url.split(":")[0]}: only a workspace with bus: sqs is deployed to AWS; write it in workspaces/${stage}.yaml`,
  );
}

/** The stage that SST remembers of a checkout, for whoever names none. */
export function rememberedStage(root: string): string | undefined {
  const file = join(root, ".sst/stage");
  return existsSync(file) ? readFileSync(file, "utf8").trim() || undefined : undefined;
}
