import type { DeadLetterStore } from "@orgloop/sdk";
import type { Configuration } from "../apply/configuration.ts";
import type { Current } from "../apply/generation.ts";
import type { Inbox } from "../inbox/inbox.ts";
import { type WebhookRouteOptions, webhookRoute } from "../intake/webhook-route.ts";
import type { EventReplays } from "../replay/event-replays.ts";
import type { LetterReplays } from "../replay/letter-replays.ts";
import type { EventHistory } from "../telemetry/event-history.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { readSources, readStatus, type StatusParts } from "../telemetry/read-status.ts";
import { configurationApi } from "./configuration-api.ts";
import { controlApi } from "./control-api.ts";
import { deadLettersApi } from "./dead-letters-api.ts";
import { inboxApi } from "./inbox-api.ts";
import type { ProjectAppOptions } from "./project-app.ts";
import { readApi } from "./read-api.ts";
import { replayApi } from "./replay-api.ts";

/** What a project serves by HTTP. */
export type ProjectHttp = Pick<
  ProjectAppOptions,
  "webhook" | "readApi" | "controlApi" | "metrics" | "notReady" | "look" | "mask"
>;

export interface ProjectHttpOptions
  extends Omit<WebhookRouteOptions, "sources" | "specs">,
    Pick<ProjectHttp, "notReady" | "look"> {
  readonly current: Current;
  readonly history: EventHistory;
  readonly metrics: Metrics;
  readonly parts: StatusParts;
  readonly replays: EventReplays;
  readonly letterReplays: LetterReplays;
  readonly inbox: Inbox;
  readonly deadLetters: DeadLetterStore;
  readonly configuration: Configuration;
  /** Begins to drain. */
  readonly shutdown: () => void;
}

export function projectHttp(options: ProjectHttpOptions): ProjectHttp {
  const { current, metrics, parts, stop, deadLetters, notReady } = options;
  const status = () => readStatus(parts);
  return {
    webhook: webhookRoute({
      ...options,
      sources: () => current().plugins.sources,
      specs: () => current().resolved.sources,
    }),
    readApi: readApi({
      ...options,
      inbox: inboxApi(options.inbox),
      topology: parts.topology,
      status,
      sources: () => readSources(parts),
    }),
    controlApi: controlApi({
      ...options,
      status,
      configuration: configurationApi({ ...options, deliverers: parts.deliverers }),
      replay: replayApi({ replays: options.replays, routes: () => current().routes.byName, stop }),
      deadLetters: deadLettersApi({ deadLetters, replays: options.letterReplays, stop }),
    }),
    metrics,
    notReady,
    look: options.look,
    mask: options.mask,
  };
}
