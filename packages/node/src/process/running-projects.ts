import { OrgLoopError } from "@orgloop/sdk";
import { requestCount } from "../http/http-server.ts";
import { projectApp } from "../http/project-app.ts";
import type { ModuleStatus } from "../telemetry/status.ts";
import type { Clock } from "./clock.ts";
import {
  type DaemonChanges,
  type HostedProject,
  moduleStatus,
  type ProjectRequest,
  type ResolveProject,
  requireNewName,
} from "./hosted-project.ts";
import { type OpenProject, openProject } from "./open-project.ts";
import type { ProjectOptions } from "./project-options.ts";
import { type ListedProject, type WaitingProjects, waitingProjects } from "./waiting-projects.ts";

export interface RunningProjectsOptions {
  /** Where the process listens. */
  readonly host: string;
  /** What `/control/*` wants as its bearer token. */
  readonly token: string;
  readonly clock: Clock;
  /** What a request to load a project means; throws what is wrong with it. */
  readonly resolve?: ResolveProject;
  /** A project runs. */
  readonly onLoaded?: (module: HostedProject) => Promise<void>;
  /** A project is closed; with what forced it where nobody asked for it. */
  readonly onGone?: (module: HostedProject) => Promise<void>;
}

/** Where the process listens. */
interface Address {
  readonly host: string;
  readonly port: number;
}

/** The projects of a process: loads, unloads and reloads them, one change after the other. */
export class RunningProjects implements DaemonChanges {
  /** By name; those that have failed are among them until they are unloaded. */
  readonly all: ReadonlyMap<string, HostedProject>;
  /** Those that are to be loaded, or could not be. */
  readonly waiting: WaitingProjects = waitingProjects();
  /** Resolves when the last one is closed: with its failure, or undefined. */
  readonly ended: Promise<Error | undefined>;

  /** The process takes in nothing more. */
  stopping = false;

  readonly #options: RunningProjectsOptions;
  readonly #modules = new Map<string, HostedProject>();
  readonly #ended = Promise.withResolvers<Error | undefined>();
  #address: Address = { host: "", port: 0 };
  #turn: Promise<unknown> = Promise.resolve();
  #reloading = false;

  constructor(options: RunningProjectsOptions) {
    this.#options = options;
    this.all = this.#modules;
    this.ended = this.#ended.promise;
  }

  get port(): number {
    return this.#address.port;
  }

  /** The process listens there; nothing is loaded before. */
  serveAt(address: Address): void {
    this.#address = address;
  }

  load(options: ProjectOptions, request?: ProjectRequest): Promise<OpenProject> {
    return this.#inTurn(() => this.#open(options, request ?? null));
  }

  unload(name: string): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#modules.has(name) && this.waiting.has(name)) return this.waiting.done(name);
      const module = this.#known(name);
      if (module.failure === null && this.running().length === 1) {
        const message = `"${name}" is the only project of this process: /control/shutdown ends both`;
        throw new OrgLoopError("LAST_MODULE", message);
      }
      await this.#close(module);
    });
  }

  reload(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const module = this.#known(name);
      const next = await nextOf(module, this.#options.resolve);
      this.#reloading = true;
      this.waiting.starting({ name, sources: next.topology.sources.map(({ id }) => id) });
      try {
        await this.#close(module);
        await this.#open(next, module.request);
      } finally {
        this.#reloading = false;
        if (this.running().length === 0) {
          this.#end(new Error(`"${name}" could not be loaded again`));
        }
      }
    });
  }

  /** Projects that are going to be loaded: until then their webhooks are answered 503. */
  expect(listed: readonly ListedProject[]): void {
    for (const module of listed) this.waiting.starting(module);
  }

  /** Those that have not failed. */
  running(): readonly HostedProject[] {
    return [...this.#modules.values()].filter(({ failure }) => failure === null);
  }

  status(): readonly ModuleStatus[] {
    return [...this.#modules.values()].map(moduleStatus);
  }

  /** Drains all, also the one that is being loaded. Fine to call twice. */
  async drain(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.running().map(({ project }) => project.drain()));
    await this.#turn;
    await Promise.all(this.running().map(({ project }) => project.drain()));
    if (this.running().length === 0) this.#end();
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #known(name: string): HostedProject {
    const module = this.#modules.get(name);
    if (module !== undefined) return module;
    throw new OrgLoopError("UNKNOWN_MODULE", `no project "${name}" runs in this process`);
  }

  async #open(options: ProjectOptions, request: ProjectRequest | null): Promise<OpenProject> {
    if (this.stopping) throw new OrgLoopError("DRAINING", "the process is stopping");
    requireNewName(options, this.#modules);
    const { project: name, sources } = options.topology;
    const listed = this.waiting.has(name);
    this.waiting.starting({ name, sources: sources.map(({ id }) => id) });
    try {
      const project = await this.#begin(options, request);
      this.waiting.done(name);
      return project;
    } catch (error) {
      if (listed) this.waiting.failed(name, error);
      else this.waiting.done(name);
      throw error;
    }
  }

  async #begin(options: ProjectOptions, request: ProjectRequest | null): Promise<OpenProject> {
    const { host, token, clock, onLoaded } = this.#options;
    const name = options.topology.project;
    const project = await openProject(options);
    const requests = requestCount();
    const module: HostedProject = {
      name,
      options,
      request,
      project,
      app: projectApp({ ...project.http, host, token }),
      requests,
      gone: Promise.resolve(),
      failure: null,
    };
    this.#modules.set(name, module);
    try {
      const close = (graceMs: number): Promise<void> => requests.idle(clock, graceMs);
      await project.begin({ address: this.#address, close });
    } catch (error) {
      this.#modules.delete(name);
      await project.discard();
      throw error;
    }
    project.log({ phase: "module.active", metadata: { projects: [...this.#modules.keys()] } });
    module.gone = project.closed.then((error) => this.#gone(module, error));
    try {
      await onLoaded?.(module);
    } catch (error) {
      // Nobody would find it, and its next start be refused as its second.
      await this.#close(module);
      throw error;
    }
    return project;
  }

  /** A project is closed: of itself, or because it was asked to. */
  async #gone(module: HostedProject, error: Error | undefined): Promise<void> {
    if (error === undefined) this.#modules.delete(module.name);
    else module.failure = error;
    await this.#options.onGone?.(module);
    if (this.running().length === 0 && !this.#reloading) this.#end(error);
  }

  async #close(module: HostedProject): Promise<void> {
    if (module.failure !== null) {
      this.#modules.delete(module.name);
      return;
    }
    module.project.log({ phase: "module.unloading" });
    await module.project.drain();
    await module.gone;
  }

  #end(error?: Error): void {
    this.stopping = true;
    this.#ended.resolve(error);
  }
}

/** How a project is to run now: read anew where it was loaded by a request. */
async function nextOf(
  { name, options, request }: HostedProject,
  resolve: ResolveProject | undefined,
): Promise<ProjectOptions> {
  if (resolve === undefined || request === null) return options;
  const next = await resolve(request);
  if (next.topology.project === name) return next;
  throw new OrgLoopError(
    "MODULE_RENAMED",
    `the project "${name}" calls itself "${next.topology.project}" now: unload it, and load it anew`,
  );
}
