import {
  type EventDraft,
  isRefused,
  isRetryAfter,
  type LogEntry,
  messageOf,
  type Source,
  type WebhookRequest,
} from "@orgloop/sdk";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Activity } from "./activity.ts";
import type { Held } from "./held.ts";
import type { Ingest } from "./ingest.ts";
import { readBody } from "./read-body.ts";

export interface WebhookRouteOptions {
  /** Those that run now. */
  readonly sources: () => ReadonlyMap<string, Held<Source>>;
  readonly ingest: Ingest;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
  /** Bytes of one body. */
  readonly bodyLimit: number;
  /** How long a request waits for room on the bus before it is sent away. */
  readonly roomWaitMs: number;
  /** Aborted when intake stops: a drain, or a bus that failed. */
  readonly stop: AbortSignal;
}

/** Of all requests together. */
const BODIES_LIMIT = 256 * 1024 ** 2;
const RETRY_AFTER_S = 5;
/** Characters of an id that the log keeps: anyone may send any. */
const LOGGED_ID = 200;

/** `/webhook/SOURCE`: 200 only when the bus has every event of the request (`spec/cli.md`, HTTP). */
export function webhookRoute(options: WebhookRouteOptions) {
  const { log, activity, bodyLimit, stop } = options;
  const budget = { used: 0, limit: BODIES_LIMIT };

  function refuse(c: Context, id: string, status: ContentfulStatusCode, error: string): Response {
    log({ phase: "source.refused", source: id.slice(0, LOGGED_ID), error, metadata: { status } });
    activity.refused(id, status);
    if (status === 503) c.header("retry-after", String(RETRY_AFTER_S));
    if (status === 405) c.header("allow", "POST");
    if (status === 413) c.header("connection", "close");
    return c.json({ error }, status);
  }

  async function draftsOf(c: Context, source: Receiver) {
    let taken = 0;
    try {
      const body = await readBody(c.req.raw, bodyLimit, (bytes) => {
        taken += bytes;
        budget.used += bytes;
        return budget;
      });
      return await source.receive(webhookRequest(c, body));
    } finally {
      budget.used -= taken;
    }
  }

  async function keep(c: Context, id: string, drafts: readonly EventDraft[]): Promise<Response> {
    const patience = (): AbortSignal =>
      AbortSignal.any([stop, AbortSignal.timeout(options.roomWaitMs)]);
    try {
      const sourced = drafts.map((draft) => ({ ...draft, source: id }));
      const events = await options.ingest(sourced, patience);
      const event_ids = events.map((event) => event.id);
      return c.json({ ok: true, event_id: event_ids[0] ?? null, event_ids });
    } catch (error) {
      return refuse(c, id, 503, `not kept: ${messageOf(error)}`);
    }
  }

  return async (c: Context): Promise<Response> => {
    const id = sourceId(new URL(c.req.url).pathname);
    const source = options.sources().get(id);
    if (!receives(source)) {
      return refuse(c, id, 404, `no source "${id.slice(0, LOGGED_ID)}" takes webhooks`);
    }
    if (c.req.method !== "POST") {
      return refuse(c, id, 405, `${c.req.method} is not allowed: send a POST`);
    }
    if (stop.aborted) return refuse(c, id, 503, "the process is stopping");
    let drafts: readonly EventDraft[];
    try {
      drafts = await source.use((part) => draftsOf(c, part));
    } catch (error) {
      if (isRefused(error)) return refuse(c, id, error.status, error.message);
      return refuse(c, id, isRetryAfter(error) ? 503 : 500, messageOf(error));
    }
    return keep(c, id, drafts);
  };
}

type Receiver = Source & Required<Pick<Source, "receive">>;

function receives(source: Held<Source> | undefined): source is Held<Receiver> {
  return source?.part.receive !== undefined;
}

/** `/webhook/platform/hook` and `/webhook/platform%2Fhook` are one source (`config-at-scale.md`, Workspaces). */
function sourceId(pathname: string): string {
  const rest = pathname.slice("/webhook/".length);
  try {
    return decodeURIComponent(rest);
  } catch {
    return rest;
  }
}

function webhookRequest(c: Context, body: Uint8Array): WebhookRequest {
  const url = new URL(c.req.url);
  return {
    method: c.req.method,
    headers: Object.fromEntries(c.req.raw.headers),
    query: Object.fromEntries(url.searchParams),
    body,
  };
}
