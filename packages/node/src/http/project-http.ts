import type { Configuration } from "../apply/configuration.ts";
import type { OpenDelivery } from "../delivery/open-delivery.ts";
import type { OpenIntake } from "../intake/open-intake.ts";
import {
  type WebhookRoute,
  type WebhookRouteOptions,
  webhookRoute,
} from "../intake/webhook-route.ts";
import type { Lifecycle } from "../plugins/lifecycle.ts";
import type { ProjectPorts } from "../process/project-ports.ts";
import { projectMetrics } from "../process/status-parts.ts";
import type { EventReplays } from "../replay/event-replays.ts";
import { readSources, readStatus, type StatusParts } from "../telemetry/read-status.ts";
import { configurationApi } from "./configuration-api.ts";
import { controlApi } from "./control-api.ts";
import { deadLettersApi } from "./dead-letters-api.ts";
import { eventApi } from "./event-api.ts";
import { inboxApi } from "./inbox-api.ts";
import type { ProjectAppOptions } from "./project-app.ts";
import { readApi } from "./read-api.ts";
import { replayApi } from "./replay-api.ts";

/** What a project serves by HTTP. */
export interface ProjectHttp extends Omit<ProjectAppOptions, "host" | "token"> {
  readonly webhooks: WebhookRoute;
}

export interface ProjectHttpOptions extends Pick<WebhookRouteOptions, "bodyLimit" | "roomWaitMs"> {
  readonly ports: ProjectPorts;
  readonly unsetOf: (names: readonly string[]) => readonly string[];
  readonly parts: StatusParts;
  readonly intake: Pick<OpenIntake, "ingest">;
  readonly replays: EventReplays;
  readonly delivery: Pick<OpenDelivery, "letterReplays" | "inbox">;
  readonly configuration: Configuration;
  readonly lifecycle: Pick<Lifecycle, "end">;
}

export function projectHttp(options: ProjectHttpOptions): ProjectHttp {
  const { ports, parts, intake, replays, delivery, configuration, lifecycle } = options;
  const { bodyLimit, roomWaitMs } = options;
  const { open, current, activity, history, log, stop } = ports;
  const { deadLetters, known } = open;
  const { deliverers, topology, notReady } = parts;
  const { ingest } = intake;
  const { mask } = known;
  const { look } = ports.writes;
  const metrics = projectMetrics(ports, parts);
  const status = () => readStatus(parts);
  const limits = { bodyLimit, roomWaitMs, stop };
  return {
    webhooks: webhookRoute({
      current,
      ingest,
      log,
      activity,
      mask,
      ...limits,
    }),
    readApi: readApi({
      topology,
      activity,
      history,
      inbox: inboxApi(delivery.inbox),
      metrics,
      status,
      sources: () => readSources(parts),
    }),
    controlApi: controlApi({
      status,
      look,
      ingest,
      unsetOf: options.unsetOf,
      shutdown: () => void lifecycle.end(),
      configuration: configurationApi({ configuration, deliverers }),
      events: eventApi(ports),
      replay: replayApi({ replays, routes: () => current().routes.byName, stop }),
      deadLetters: deadLettersApi({ deadLetters, replays: delivery.letterReplays, stop }),
      ...limits,
    }),
    metrics,
    notReady,
    look,
    mask,
  };
}
