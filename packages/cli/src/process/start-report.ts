import type { Topology } from "@orgloop/sdk";
import type { Output } from "../terminal/output.ts";

/** What `start` tells once everything runs; `start --json` is this. */
export interface StartReport {
  readonly running: true;
  readonly project: string;
  readonly workspace: string;
  readonly pid: number;
  readonly port: number;
  readonly data_dir: string;
  readonly sources: readonly {
    readonly id: string;
    readonly type: "webhook" | "polling";
    readonly poll_interval?: string;
    /** Where a webhook source is sent to. */
    readonly url?: string;
  }[];
  readonly actors: readonly string[];
  readonly routes: readonly string[];
  readonly loggers: readonly string[];
}

/** What is needed of a process's status. */
export interface StartedSources {
  readonly sources: readonly {
    readonly id: string;
    readonly type: "webhook" | "polling";
    readonly poll_interval?: string;
  }[];
}

export function startReport(
  topology: Topology,
  { sources }: StartedSources,
  where: { readonly port: number; readonly dataDir: string },
): StartReport {
  const urlOf = (id: string) =>
    `http://127.0.0.1:${where.port}/webhook/${id.split("/").map(encodeURIComponent).join("/")}`;
  return {
    running: true,
    project: topology.project,
    workspace: topology.workspace,
    pid: process.pid,
    port: where.port,
    data_dir: where.dataDir,
    sources: sources.map(({ id, type, poll_interval }) => ({
      id,
      type,
      ...(poll_interval !== undefined && { poll_interval }),
      ...(type === "webhook" && { url: urlOf(id) }),
    })),
    actors: topology.actors.map(({ id }) => id),
    routes: topology.routes.map(({ name }) => name),
    loggers: topology.loggers.map(({ name }) => name),
  };
}

/** The lines of v1alpha1 (section 9), and where the webhooks go. */
export function startLines(report: StartReport, output: Output): string {
  const line = (text: string) => `${output.style("green", "✓")} ${text}`;
  return [
    ...report.sources.map(({ id, type, poll_interval }) =>
      line(
        type === "polling"
          ? `Source ${id} — polling started (every ${poll_interval})`
          : `Source ${id} — hook listener started`,
      ),
    ),
    ...report.actors.map((id) => line(`Actor ${id} — ready`)),
    ...report.routes.map((name) => line(`Route ${name} — active`)),
    ...report.loggers.map((name) => line(`Logger ${name} — configured`)),
    `  Listening on http://127.0.0.1:${report.port}`,
    ...report.sources.flatMap(({ id, url }) => (url === undefined ? [] : [`  ${id}: POST ${url}`])),
    `OrgLoop is running. PID: ${report.pid}`,
  ].join("\n");
}
