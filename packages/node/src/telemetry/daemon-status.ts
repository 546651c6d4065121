import { type HostedProject, moduleStatus } from "../process/hosted-project.ts";
import type {
  ActorStatus,
  ModuleStatus,
  ProcessStatus,
  RouteStatus,
  SourceStatus,
} from "./status.ts";

type Of<Item> = Item & { readonly module: string };

/**
 * `GET /api/status` of a process with several projects (v1alpha1, section 10): all of them
 * together.
 */
export interface HostStatus
  extends Pick<
    ProcessStatus,
    "running" | "draining" | "health" | "pid" | "uptime_ms" | "http_port" | "unacked"
  > {
  readonly modules: readonly ModuleStatus[];
  readonly sources: readonly Of<SourceStatus>[];
  readonly routes: readonly Of<RouteStatus>[];
  readonly actors: readonly Of<ActorStatus>[];
  readonly dead_letters: number;
}

export function daemonStatus(
  modules: readonly HostedProject[],
  waiting: readonly ModuleStatus[],
  where: { readonly port: number; readonly uptimeMs: number },
): HostStatus {
  const reported = modules.map((module) => ({ module, status: module.project.status() }));
  const of = <Item>(pick: (status: ProcessStatus) => readonly Item[]): Of<Item>[] =>
    reported.flatMap(({ module, status }) =>
      pick(status).map((item) => ({ ...item, module: module.name })),
    );
  const sum = (pick: (status: ProcessStatus) => number): number =>
    reported.reduce((total, { status }) => total + pick(status), 0);
  const states = new Set(
    reported.map(({ module, status }) => (module.failure === null ? status.health : "error")),
  );
  if (waiting.length > 0) states.add("degraded");
  if (waiting.some(({ state }) => state === "failed")) states.add("error");
  return {
    running: reported.some(({ status }) => status.running),
    draining: reported.every(({ status }) => status.draining),
    health: states.has("error") ? "error" : states.has("degraded") ? "degraded" : "ok",
    pid: process.pid,
    uptime_ms: where.uptimeMs,
    http_port: where.port,
    modules: [...modules.map(moduleStatus), ...waiting],
    sources: of(({ sources }) => sources),
    routes: of(({ routes }) => routes),
    actors: of(({ actors }) => actors),
    unacked: sum(({ unacked }) => unacked),
    dead_letters: sum(({ dead_letters }) => dead_letters),
  };
}
