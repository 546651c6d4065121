import type { OpenDelivery } from "../delivery/open-delivery.ts";
import type { HttpServer } from "../http/http-server.ts";
import type { OpenIntake } from "../intake/open-intake.ts";
import type { Lifecycle } from "../plugins/lifecycle.ts";
import { type Metrics, metrics } from "../telemetry/metrics.ts";
import {
  readActors,
  readRoutes,
  readSources,
  repeatsStatus,
  type StatusParts,
} from "../telemetry/read-status.ts";
import type { ProjectPorts } from "./project-ports.ts";

export interface RunningParts {
  readonly intake: Pick<OpenIntake, "polls">;
  readonly delivery: Pick<OpenDelivery, "deliverers">;
  readonly lifecycle: Pick<Lifecycle, "state" | "notReady">;
}

/**
 * What a project's status is read from, and where its HTTP is served is told; its uptime counts
 * from now on.
 */
export function statusParts(
  ports: ProjectPorts,
  { intake, delivery, lifecycle }: RunningParts,
): { readonly parts: StatusParts; serveAt(address: HttpServer["address"]): void } {
  const { open, current, clock, activity, backlog, writes } = ports;
  const { now } = clock;
  let port = 0;
  const parts: StatusParts = {
    topology: () => current().topology,
    activity,
    deliverers: delivery.deliverers,
    polls: intake.polls,
    backlog,
    deadLetters: open.deadLetters,
    repeats: () => repeatsStatus(open.repeats.table, current().longestRepeatMs, now()),
    now,
    startedMs: now(),
    port: () => port,
    state: lifecycle.state,
    notReady: () => lifecycle.notReady() ?? writes.refusal(),
  };
  return {
    parts,
    serveAt(address) {
      port = address.port;
    },
  };
}

/** The counters of a project, and gauges that are read from its status. */
export function projectMetrics({ counters }: ProjectPorts, parts: StatusParts): Metrics {
  const { now, startedMs, backlog, deadLetters, activity } = parts;
  return metrics(counters, {
    uptimeSeconds: () => (now() - startedMs) / 1_000,
    backlog: () => backlog.size,
    sources: () => readSources(parts),
    actors: () => readActors(parts),
    routes: () => readRoutes(parts),
    deadLetters: () => deadLetters.size ?? activity.deadLetters,
  });
}
