import { OrgLoopError } from "@orgloop/sdk";
import { ownDescriptorShares } from "../data/descriptor-shares.ts";
import { hostApp } from "../http/host-app.ts";
import { startHttpServer } from "../http/http-server.ts";
import { projectApp } from "../http/project-app.ts";
import { refusedWebhook, type WebhookOwner, webhookOwner } from "../intake/webhook-owner.ts";
import { listenForUnhandled } from "../plugins/unhandled-rejections.ts";
import { metricsApp } from "../telemetry/host-metrics.ts";
import type { ModuleStatus } from "../telemetry/status.ts";
import { chosenModule } from "./chosen-module.ts";
import { type Clock, systemClock } from "./clock.ts";
import {
  type HostChanges,
  type HostedModule,
  type ModuleRequest,
  moduleStatus,
  type ResolveProject,
  requestCount,
  requireNewName,
} from "./host-modules.ts";
import { type OpenProject, openProject } from "./open-project.ts";
import type { ProjectOptions } from "./project-options.ts";
import { type ListedModule, waitingModules } from "./waiting-modules.ts";

export interface HostOptions {
  /** 0 (default): a free one. */
  readonly port?: number;
  /** Also serves `/metrics` there, alone (v1alpha1, section 10: ORGLOOP_METRICS_PORT). */
  readonly metricsPort?: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** What `/control/*` wants as its bearer token. */
  readonly token: string;
  /** What a request to load a project means; throws what is wrong with it. Absent: none is loaded by request. */
  readonly resolve?: ResolveProject;
  /** A project runs. */
  readonly onLoaded?: (module: HostedModule) => Promise<void>;
  /** A project is closed; with what forced it where nobody asked for it. */
  readonly onGone?: (module: HostedModule) => Promise<void>;
  /** Somebody asked for the end of the process. */
  readonly onShutdown?: () => void;
}

/** Projects in one process, behind one HTTP server. Each has its own bus, stores and lock: what ends one does not end the others. */
export interface Host extends HostChanges {
  readonly address: { readonly host: string; readonly port: number };
  /** Null: there is none. */
  readonly metricsAddress: { readonly host: string; readonly port: number } | null;
  modules(): readonly ModuleStatus[];
  /** Projects that are going to be loaded: until then their webhooks are answered 503. */
  expect(listed: readonly ListedModule[]): void;
  /** One of these cannot be loaded; its webhooks are answered 503 until it is, or is unloaded. */
  giveUp(name: string, error: unknown): void;
  /** Drains all. Fine to call twice. */
  drain(): Promise<void>;
  /** Resolves when all is closed: with the failure of the last project that ran, or undefined. */
  readonly closed: Promise<Error | undefined>;
}

/** How long requests may take to end. */
const END_GRACE_MS = 1_000;

/** Listens, with no project yet. Throws `PORT_IN_USE`. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { host = "127.0.0.1", port = 0, token } = options;
  const clock: Clock = systemClock;
  const startedMs = clock.now();
  const modules = new Map<string, HostedModule>();
  const waiting = waitingModules();
  const closed = Promise.withResolvers<Error | undefined>();
  let turn: Promise<unknown> = Promise.resolve();
  let ending: Promise<void> | null = null;
  let stopping = false;

  /** One change after the other. */
  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = turn.then(change);
    turn = result.catch(() => undefined);
    return result;
  }

  const running = (): HostedModule[] =>
    [...modules.values()].filter(({ failure }) => failure === null);

  function known(name: string): HostedModule {
    const module = modules.get(name);
    if (module !== undefined) return module;
    throw new OrgLoopError("UNKNOWN_MODULE", `no project "${name}" runs in this process`);
  }

  async function open(
    options_: ProjectOptions,
    request: ModuleRequest | null,
  ): Promise<OpenProject> {
    if (stopping) throw new OrgLoopError("DRAINING", "the process is stopping");
    requireNewName(options_, modules);
    const { project: name, sources } = options_.topology;
    const listed = waiting.has(name);
    waiting.starting({ name, sources: sources.map(({ id }) => id) });
    try {
      const project = await begin(options_, request);
      waiting.done(name);
      return project;
    } catch (error) {
      if (listed) waiting.failed(name, error);
      else waiting.done(name);
      throw error;
    }
  }

  async function begin(
    options_: ProjectOptions,
    request: ModuleRequest | null,
  ): Promise<OpenProject> {
    const name = options_.topology.project;
    const project = await openProject(options_);
    const requests = requestCount();
    const app = projectApp({ ...project.http, host, token });
    const module: HostedModule = {
      name,
      options: options_,
      request,
      project,
      app,
      requests,
      gone: Promise.resolve(),
      failure: null,
    };
    modules.set(name, module);
    try {
      const close = (graceMs: number): Promise<void> => requests.idle(clock, graceMs);
      await project.begin({ address: server.address, close });
    } catch (error) {
      modules.delete(name);
      await project.discard();
      throw error;
    }
    project.log({ phase: "module.active", metadata: { projects: [...modules.keys()] } });
    module.gone = project.closed.then((error) => ended(module, error));
    try {
      await options.onLoaded?.(module);
    } catch (error) {
      // Nobody would find it, and its next start be refused as its second.
      await close(module);
      throw error;
    }
    return project;
  }

  /** A project is closed: of itself, or because it was asked to. */
  async function ended(module: HostedModule, error: Error | undefined): Promise<void> {
    if (error === undefined) modules.delete(module.name);
    else module.failure = error;
    await options.onGone?.(module);
    if (running().length === 0 && !reloading) await end(error);
  }

  let reloading = false;

  function end(error?: Error): Promise<void> {
    stopping = true;
    const servers = [server, ...(scraped === null ? [] : [scraped])];
    ending ??= Promise.all(servers.map((one) => one.close(END_GRACE_MS))).then(() =>
      closed.resolve(error),
    );
    return ending;
  }

  async function close(module: HostedModule): Promise<void> {
    if (module.failure !== null) {
      modules.delete(module.name);
      return;
    }
    module.project.log({ phase: "module.unloading" });
    await module.project.drain();
    await module.gone;
  }

  async function drain(): Promise<void> {
    stopping = true;
    await Promise.all(running().map(({ project }) => project.drain()));
    await turn;
    await Promise.all(running().map(({ project }) => project.drain()));
    if (running().length === 0) await end();
    await closed.promise;
  }

  const changes: HostChanges = {
    load: (project, request) => inTurn(() => open(project, request ?? null)),
    unload: (name) =>
      inTurn(async () => {
        if (!modules.has(name) && waiting.has(name)) return waiting.done(name);
        const module = known(name);
        if (module.failure === null && running().length === 1) {
          const message = `"${name}" is the only project of this process: /control/shutdown ends both`;
          throw new OrgLoopError("LAST_MODULE", message);
        }
        await close(module);
      }),
    reload: (name) =>
      inTurn(async () => {
        const module = known(name);
        const next = await nextOf(module, options);
        reloading = true;
        waiting.starting({ name, sources: next.topology.sources.map(({ id }) => id) });
        try {
          await close(module);
          await open(next, module.request);
        } finally {
          reloading = false;
          if (running().length === 0) void end(new Error(`"${name}" could not be loaded again`));
        }
      }),
  };

  const shared = hostApp({
    host,
    token,
    startedMs,
    now: clock.now,
    port: () => server.address.port,
    modules: () => [...modules.values()],
    waiting: waiting.status,
    changes,
    resolve: options.resolve,
    shutdown() {
      options.onShutdown?.();
      void drain();
    },
  });

  function ownerOf(request: Request): WebhookOwner | null {
    const url = new URL(request.url);
    if (!url.pathname.startsWith("/webhook/")) return null;
    return webhookOwner(url, { modules, waiting, stopping });
  }

  const server = await startHttpServer({
    host,
    port,
    fetch(request, env) {
      const owner = ownerOf(request);
      if (owner !== null && "error" in owner) return refusedWebhook(owner);
      const module = owner === null ? chosenModule(request, modules, waiting) : owner.module;
      if (module === null) return shared.fetch(request, env as object);
      return module.requests.during(() => module.app.fetch(request, env as object));
    },
  });

  const { metricsPort } = options;
  const scraped =
    metricsPort === undefined
      ? null
      : await startHttpServer({
          host,
          port: metricsPort,
          connections: ownDescriptorShares().scrapes,
          fetch: metricsApp(host, () => [...modules.values()]).fetch,
        }).catch(async (error) => {
          await server.close(0);
          throw error;
        });

  const unlisten = listenForUnhandled((...unhandled) => {
    const projects = running().map(({ project }) => project);
    for (const project of projects) project.onUnhandled(...unhandled);
    if (projects.length === 0) console.error(unhandled[0]);
  }, clock.now);
  void closed.promise.then(unlisten);

  return {
    address: server.address,
    metricsAddress: scraped?.address ?? null,
    ...changes,
    modules: () => [...modules.values()].map(moduleStatus),
    expect(listed) {
      for (const module of listed) waiting.starting(module);
    },
    giveUp: waiting.failed,
    drain,
    closed: closed.promise,
  };
}

/** How a project is to run now: read anew where it was loaded by a request. */
async function nextOf(
  { name, options, request }: HostedModule,
  { resolve }: HostOptions,
): Promise<ProjectOptions> {
  if (resolve === undefined || request === null) return options;
  const next = await resolve(request);
  if (next.topology.project === name) return next;
  throw new OrgLoopError(
    "MODULE_RENAMED",
    `the project "${name}" calls itself "${next.topology.project}" now: unload it, and load it anew`,
  );
}
