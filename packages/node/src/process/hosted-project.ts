import { OrgLoopError } from "@orgloop/sdk";
import type { Hono } from "hono";
import type { RequestCount } from "../http/http-server.ts";
import type { ModuleStatus } from "../telemetry/status.ts";
import type { OpenProject } from "./open-project.ts";
import type { ProjectOptions } from "./project-options.ts";

/** What a request to load a project names (v1alpha1, section 10: load-project). */
export interface ProjectRequest {
  readonly configPath?: string;
  readonly projectDir?: string;
  readonly workspace?: string;
}

export type ResolveProject = (request: ProjectRequest) => Promise<ProjectOptions>;

/** What may be done with the projects of a process; one after the other. */
export interface DaemonChanges {
  /** Throws `MODULE_EXISTS`, or what keeps the project from opening; the others run on. */
  load(options: ProjectOptions, request?: ProjectRequest): Promise<OpenProject>;
  /**
   * Drains a project and closes it. Throws `UNKNOWN_MODULE`, and `LAST_MODULE` where no other runs.
   */
  unload(name: string): Promise<void>;
  /**
   * Reads a project anew, drains it, and opens it as it is now; where it cannot be read it runs on.
   * Throws as `load`.
   */
  reload(name: string): Promise<void>;
}

/** A project in the process: v1alpha1 calls it a module. */
export interface HostedProject {
  readonly name: string;
  readonly options: ProjectOptions;
  /** By which it was loaded, and is loaded again; null: by the process itself. */
  readonly request: ProjectRequest | null;
  readonly project: OpenProject;
  readonly app: Hono;
  /** Requests under way. */
  readonly requests: RequestCount;
  /** Resolves when it is closed, and everybody knows. */
  gone: Promise<void>;
  /** Why it ended by itself; null: it runs. */
  failure: Error | null;
}

export function moduleStatus({ name, project, failure }: HostedProject): ModuleStatus {
  const [status] = project.status().modules;
  const state = failure === null ? (status?.state ?? "unloading") : "error";
  return { ...(status as ModuleStatus), name, state };
}

/** Throws `MODULE_EXISTS`: a project is in the process once. */
export function requireNewName(
  { topology, projectDir }: ProjectOptions,
  modules: ReadonlyMap<string, HostedProject>,
): void {
  const other = modules.get(topology.project);
  if (other === undefined || other.failure !== null) return;
  const { workspace } = other.options.topology;
  const own = "start this one by --port in a process of its own";
  const said =
    other.options.projectDir !== projectDir
      ? `a project "${topology.project}" runs here already, of ${other.options.projectDir}: give one of them another metadata.name, or ${own}`
      : workspace !== topology.workspace
        ? `the project "${topology.project}" runs here already, in the workspace "${workspace}": ${own}`
        : `the project "${topology.project}" runs here already (${projectDir}): stop it first, or \`orgloop apply\` what has changed`;
  throw new OrgLoopError("MODULE_EXISTS", said);
}
