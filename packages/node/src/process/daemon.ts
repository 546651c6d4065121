import { ownDescriptorShares } from "../data/descriptor-shares.ts";
import { daemonApp } from "../http/daemon-app.ts";
import { type HttpServer, startHttpServer } from "../http/http-server.ts";
import { listenForUnhandled } from "../plugins/unhandled-rejections.ts";
import { metricsApp } from "../telemetry/daemon-metrics.ts";
import type { ModuleStatus } from "../telemetry/status.ts";
import { systemClock } from "./clock.ts";
import { daemonFetch, hostWebhook } from "./daemon-fetch.ts";
import type { DaemonChanges } from "./hosted-project.ts";
import { RunningProjects, type RunningProjectsOptions } from "./running-projects.ts";
import type { ListedProject } from "./waiting-projects.ts";

export interface DaemonOptions
  extends Pick<RunningProjectsOptions, "token" | "resolve" | "onLoaded" | "onGone"> {
  /** 0 (default): a free one. */
  readonly port?: number;
  /** Also serves `/metrics` there, alone (v1alpha1, section 10: ORGLOOP_METRICS_PORT). */
  readonly metricsPort?: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Somebody asked for the end of the process. */
  readonly onShutdown?: () => void;
}

/**
 * Projects in one process, behind one HTTP server. Each has its own bus, stores and lock: what ends
 * one does not end the others.
 */
export interface Daemon extends DaemonChanges {
  readonly address: { readonly host: string; readonly port: number };
  /** Null: there is none. */
  readonly metricsAddress: { readonly host: string; readonly port: number } | null;
  modules(): readonly ModuleStatus[];
  /** Projects that are going to be loaded: until then their webhooks are answered 503. */
  expect(listed: readonly ListedProject[]): void;
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
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { host = "127.0.0.1", port = 0 } = options;
  const modules = new RunningProjects({ ...options, host, clock: systemClock });
  const fetch = daemonFetch(modules, sharedApp(options, host, modules));
  const webhook = hostWebhook(modules);
  const server = await startHttpServer({ host, port, fetch, webhook });
  modules.serveAt(server.address);
  const scraped = await startScraping(options, host, modules).catch(async (error) => {
    await server.close(0);
    throw error;
  });
  const servers = scraped === null ? [server] : [server, scraped];
  const closed = modules.ended.then(async (error) => {
    await Promise.all(servers.map((one) => one.close(END_GRACE_MS)));
    return error;
  });
  void closed.then(listenForRejections(modules));
  return {
    address: server.address,
    metricsAddress: scraped?.address ?? null,
    load: (project, request) => modules.load(project, request),
    unload: (name) => modules.unload(name),
    reload: (name) => modules.reload(name),
    modules: () => modules.status(),
    expect: (listed) => modules.expect(listed),
    giveUp: modules.waiting.failed,
    async drain() {
      await modules.drain();
      await closed;
    },
    closed,
  };
}

/** What is answered by all projects together. */
function sharedApp(
  { token, resolve, onShutdown }: DaemonOptions,
  host: string,
  modules: RunningProjects,
) {
  const { now } = systemClock;
  return daemonApp({
    host,
    token,
    startedMs: now(),
    now,
    modules,
    resolve,
    shutdown() {
      onShutdown?.();
      void modules.drain();
    },
  });
}

/** Serves `/metrics` alone, where a port is named for it. */
async function startScraping(
  { metricsPort: port }: DaemonOptions,
  host: string,
  modules: RunningProjects,
): Promise<HttpServer | null> {
  if (port === undefined) return null;
  const { fetch } = metricsApp(host, () => [...modules.all.values()]);
  return startHttpServer({ host, port, connections: ownDescriptorShares().scrapes, fetch });
}

/** Tells every project of rejections that nobody handles, until what is returned is called. */
function listenForRejections(modules: RunningProjects): () => void {
  return listenForUnhandled((...unhandled) => {
    const running = modules.running();
    for (const { project } of running) project.onUnhandled(...unhandled);
    if (running.length === 0) console.error(unhandled[0]);
  }, systemClock.now);
}
