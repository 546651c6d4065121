import { ownDescriptorShares } from "../data/descriptor-shares.ts";
import { hostApp } from "../http/host-app.ts";
import { type HttpServer, startHttpServer } from "../http/http-server.ts";
import { listenForUnhandled } from "../plugins/unhandled-rejections.ts";
import { metricsApp } from "../telemetry/host-metrics.ts";
import type { ModuleStatus } from "../telemetry/status.ts";
import { systemClock } from "./clock.ts";
import { hostFetch, hostWebhook } from "./host-fetch.ts";
import type { HostChanges } from "./host-modules.ts";
import { RunningModules, type RunningModulesOptions } from "./running-modules.ts";
import type { ListedModule } from "./waiting-modules.ts";

export interface HostOptions
  extends Pick<RunningModulesOptions, "token" | "resolve" | "onLoaded" | "onGone"> {
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
  const { host = "127.0.0.1", port = 0 } = options;
  const modules = new RunningModules({ ...options, host, clock: systemClock });
  const fetch = hostFetch(modules, sharedApp(options, host, modules));
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
  { token, resolve, onShutdown }: HostOptions,
  host: string,
  modules: RunningModules,
) {
  const { now } = systemClock;
  return hostApp({
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
  { metricsPort: port }: HostOptions,
  host: string,
  modules: RunningModules,
): Promise<HttpServer | null> {
  if (port === undefined) return null;
  const { fetch } = metricsApp(host, () => [...modules.all.values()]);
  return startHttpServer({ host, port, connections: ownDescriptorShares().scrapes, fetch });
}

/** Tells every project of rejections that nobody handles, until what is returned is called. */
function listenForRejections(modules: RunningModules): () => void {
  return listenForUnhandled((...unhandled) => {
    const running = modules.running();
    for (const { project } of running) project.onUnhandled(...unhandled);
    if (running.length === 0) console.error(unhandled[0]);
  }, systemClock.now);
}
