import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { type LoadedProject, readEnvironment } from "@orgloop/config";
import { resolveReferences } from "@orgloop/engine";
import type { CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { invalidProject, readProject } from "../project/read-project.ts";
import { isAlive, readRecord } from "./running-process.ts";

/** Where a workspace of a project keeps its state (`docs/configuration.md`, Workspaces). */
export interface DataLocation {
  /** Absolute. */
  readonly dataDir: string;
  /**
   * The name of the project that has the usual place, where this one had to go elsewhere; else
   * null.
   */
  readonly displacedBy: string | null;
  readonly project: LoadedProject;
}

/**
 * Loads the project just far enough to say where its state is: a project with errors has its state
 * still, where there is any on this machine and it is not a stage's; otherwise its errors are
 * thrown. Where the working directory is no project and none was named, the one that runs on this
 * machine is meant.
 */
export async function locateData(context: CommandContext): Promise<DataLocation> {
  const project = await readProject(context);
  const missing = project.errors.filter((problem) => problem.code === "no-project");
  if (missing.length === 0) {
    const found = dataDirectory(context, project);
    const isHere = project.topology !== null || (!isOnAws(project) && existsSync(found.dataDir));
    if (!isHere) throw invalidProject(project.errors);
    return { project, ...found };
  }
  const { flags, home, output } = context;
  const record = flags.configGiven ? null : await readRecord(path.join(home, "data"));
  if (record === null || !isAlive(record.pid)) throw invalidProject(missing);
  output.note(`There is no project here; ${record.projectDir} runs.`);
  const { projectDir: config, workspace } = record;
  return locateData({ ...context, flags: { ...flags, config, workspace, configGiven: true } });
}

/** Of a project with errors too, as far as its bus can be read. */
function isOnAws({ provenance }: LoadedProject): boolean {
  const buses = provenance.settings.map(({ value }) => (value as { bus?: unknown } | null)?.bus);
  const bus = buses.find((one) => one !== undefined);
  return ((bus as { url?: unknown } | null)?.url ?? bus) === "sqs";
}

/**
 * `$ORGLOOP_HOME/data`, or `workspaces/NAME/data` in it; `projects/NAME-HASH/…` for a project that
 * finds another one's state there; `defaults.data_dir` before all of these.
 */
export function dataDirectory(
  { home, flags, env }: Pick<CommandContext, "home" | "flags" | "env">,
  project: LoadedProject,
): Pick<DataLocation, "dataDir" | "displacedBy"> {
  const { topology, projectDir } = project;
  const chosen = topology?.defaults.data_dir;
  if (chosen !== undefined) {
    const { value, missing } = resolveReferences(chosen, readEnvironment(projectDir, env));
    if (missing.length > 0) {
      throw new CommandError(
        "MISSING_VARIABLE",
        `defaults.data_dir: ${missing.join(", ")} is not set`,
      );
    }
    const expanded = value.replace(/^~(?=\/|$)/, env.HOME ?? "~");
    return { dataDir: path.resolve(projectDir, expanded), displacedBy: null };
  }
  const { workspace } = flags;
  const inHome = workspace === "default" ? ["data"] : ["workspaces", workspace, "data"];
  const usual = path.join(home, ...inHome);
  const owner = readOwner(usual).project ?? null;
  const name = projectName(project);
  if (owner === null || owner === name) return { dataDir: usual, displacedBy: null };
  const folder = `${name.replaceAll(/[^\w.-]+/g, "-")}-${hashOf(project.projectDir)}`;
  return { dataDir: path.join(home, "projects", folder, ...inHome), displacedBy: owner };
}

/** The project's name, also where it has errors. */
export function projectName({ topology, provenance, projectDir }: LoadedProject): string {
  if (topology !== null) return topology.project;
  const manifest = [...provenance.documents.values()][0]?.value as
    | { readonly metadata?: { readonly name?: unknown } }
    | undefined;
  const name = manifest?.metadata?.name;
  return typeof name === "string" ? name : path.basename(projectDir);
}

/**
 * The directory of another project of this name that ran on the state last, and is still there: two
 * that take turns would undo one another's changes. Null where there is none; one that has moved is
 * no other.
 */
export function namesake(dataDir: string, projectDir: string): string | null {
  const { directory } = readOwner(dataDir);
  if (directory === undefined || directory === projectDir) return null;
  return existsSync(path.join(directory, "orgloop.yaml")) ? directory : null;
}

/** Whose a data directory is: its `owner.json`, which the runtime writes. */
function readOwner(dataDir: string): { readonly project?: string; readonly directory?: string } {
  try {
    const owner = JSON.parse(readFileSync(path.join(dataDir, "owner.json"), "utf8"));
    const { project, directory } = Object(owner);
    return {
      ...(typeof project === "string" && { project }),
      ...(typeof directory === "string" && { directory }),
    };
  } catch {
    return {};
  }
}

function hashOf(projectDir: string): string {
  return createHash("sha256").update(realpathSync(projectDir)).digest("hex").slice(0, 8);
}
