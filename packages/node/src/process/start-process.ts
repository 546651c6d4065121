import type { PlanState } from "@orgloop/config";
import type { InjectedDraft } from "@orgloop/engine";
import type { OrgLoopEvent, Topology } from "@orgloop/sdk";
import type { AppliedChange } from "../apply/configuration.ts";
import type { ProcessStatus } from "../telemetry/status.ts";
import { startDaemon } from "./daemon.ts";
import type { ProjectOptions } from "./project-options.ts";

export interface StartOptions extends ProjectOptions {
  /** 0 (default): a free one. */
  readonly port?: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** What `/control/*` wants as its bearer token. */
  readonly token: string;
}

/** A project that runs in this process. */
export interface RunningProcess {
  readonly address: { readonly host: string; readonly port: number };
  status(): ProcessStatus;
  /** Puts events on the bus; resolves when they are durable. */
  inject(drafts: readonly InjectedDraft[]): Promise<readonly OrgLoopEvent[]>;
  /**
   * Goes on under `topology` without a restart: only what changed is touched. One at a time.
   * Rejects, and everything goes on as before, with `STATE_MISMATCH` where something else runs than
   * `expect` says, `RESTART_NEEDED`, `DRAINING`, or what keeps it from running.
   */
  apply(topology: Topology, expect?: PlanState): Promise<AppliedChange>;
  /**
   * Stops intake, ends what is in flight, leaves the rest on the bus, closes everything. Fine to
   * call twice.
   */
  drain(): Promise<void>;
  /**
   * Resolves when all is closed: with what forced it (a failed fsync of the bus), or undefined
   * after a drain.
   */
  readonly closed: Promise<Error | undefined>;
}

/**
 * Runs a topology: opens the data directory, bus, stores and plugins, delivers what was left
 * undelivered, listens and polls. Rejects, with everything closed again, where any of it cannot be
 * opened.
 */
export async function startProcess(options: StartOptions): Promise<RunningProcess> {
  const { host, port, token, ...project } = options;
  const running = await startDaemon({
    token,
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
  });
  try {
    const { status, inject, apply } = await running.load(project);
    const { address, drain, closed } = running;
    return { address, status, inject, apply, drain, closed };
  } catch (error) {
    await running.drain();
    throw error;
  }
}
