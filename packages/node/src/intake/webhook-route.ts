import type { IncomingMessage } from "node:http";
import {
  answerWebhook,
  type MaskSecrets,
  systemClock,
  takesFromPages,
  webhookSourceId,
} from "@orgloop/engine";
import type { LogEntry, Source } from "@orgloop/sdk";
import type { Current } from "../apply/generation.ts";
import type { InUse } from "../apply/in-use.ts";
import type { AnswerRequest } from "../http/http-server.ts";
import { bodyBudget, readBody } from "../http/read-body.ts";
import type { Activity } from "../telemetry/activity.ts";
import type { Ingest } from "./ingest.ts";

export interface WebhookRouteOptions {
  readonly current: Current;
  readonly ingest: Ingest;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
  readonly mask: MaskSecrets;
  /** Bytes of one body. */
  readonly bodyLimit: number;
  /** How long a request waits for room on the bus before it is sent away. */
  readonly roomWaitMs: number;
  /** Aborted when intake stops: a drain, or a bus that failed. */
  readonly stop: AbortSignal;
}

/** A project's webhooks. */
export interface WebhookRoute {
  /** Whether it has that source now. */
  has(id: string): boolean;
  readonly answer: AnswerRequest;
}

/** Of all requests together. */
const BODIES_LIMIT = 256 * 1024 ** 2;

/**
 * `/webhook/SOURCE`: 200 only when the bus has every event of the request (`docs/commands.md`,
 * HTTP).
 */
export function webhookRoute(options: WebhookRouteOptions): WebhookRoute {
  const { current, log, activity, bodyLimit, stop } = options;
  const budget = bodyBudget(BODIES_LIMIT);
  const patience = (): AbortSignal =>
    AbortSignal.any([stop, AbortSignal.timeout(options.roomWaitMs)]);

  const answer: AnswerRequest = async (request, url) => {
    const id = webhookSourceId(url.pathname);
    const { method = "" } = request;
    let release = (): void => {};
    let grow = (_bytes: number): void => {};
    const answered = await answerWebhook({
      id,
      method,
      source: receiverOf(current().plugins.sources.get(id)),
      header: (name) => request.headersDistinct[name]?.join(", "),
      takesFromPages: () =>
        current().resolved.sources.some((spec) => spec.id === id && takesFromPages(spec)),
      bodyLimit,
      timers: systemClock.timers,
      onUnpacked: (bytes) => grow(bytes),
      closed: stop.aborted ? "the process is stopping" : undefined,
      log,
      mask: options.mask,
      onRefused: (refused) => activity.refused(id, refused),
      async read() {
        const body = await readBody(request, bodyLimit, budget);
        release = body.release;
        grow = body.grow;
        const query = Object.fromEntries(url.searchParams);
        return { method, headers: headersOf(request), query, body: body.bytes };
      },
      keep(drafts) {
        release();
        const sourced = drafts.map((draft) => ({ ...draft, source: id }));
        return options.ingest(sourced, "receive", patience);
      },
    });
    release();
    return answered;
  };

  return { has: (id) => current().plugins.sources.has(id), answer };
}

function receiverOf(source: InUse<Source> | undefined): Pick<Source, "receive"> | undefined {
  if (source?.part.receive === undefined) return undefined;
  return { receive: (request) => source.use(async (part) => part.receive?.(request) ?? []) };
}

/** By their names in lower case; of a name that comes several times, all values (RFC 9110, 5.3). */
function headersOf({ headersDistinct }: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in headersDistinct) headers[name] = headersDistinct[name]?.join(", ") ?? "";
  return headers;
}
