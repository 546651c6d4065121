import {
  type EventDraft,
  isRefused,
  isRetryAfter,
  type LogEntry,
  messageOf,
  type OrgLoopEvent,
  type RefusedError,
  type Source,
  type WebhookRequest,
} from "@orgloop/sdk";
import type { MaskSecrets } from "../plugins/secret-mask.ts";
import type { Timers } from "../ports/clock.ts";
import {
  contentEncoding,
  foreignPage,
  gunzipWithin,
  type ReadHeader,
  receiveDrafts,
} from "./webhook-request.ts";

/** What the sender of a webhook hears. */
export interface WebhookAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface AnswerWebhookOptions {
  /** As {@link webhookSourceId} reads it of the path; it may be anything that somebody sends. */
  readonly id: string;
  readonly method: string;
  /** Undefined: there is none of that id. */
  readonly source: Pick<Source, "receive"> | undefined;
  readonly header: ReadHeader;
  /**
   * Whether requests that a foreign web page makes a browser send are taken ({@link
   * takesFromPages}).
   */
  readonly takesFromPages: () => boolean;
  /** Why nothing is taken in now (503); absent: it is. */
  readonly closed?: string | undefined;
  /** Reads the request, the body last. It may throw a refusal (413). */
  readonly read: () => Promise<Omit<WebhookRequest, "content">>;
  /** Bytes that a body may have once it is unpacked. */
  readonly bodyLimit: number;
  /** How long the source may take for an answer; default: a minute. */
  readonly receiveMs?: number;
  readonly timers: Timers;
  /**
   * Hears how many bytes an unpacked body takes in memory beside the one that was sent. It may
   * throw.
   */
  readonly onUnpacked?: (bytes: number) => void;
  /**
   * Resolves when all events are durable: on the bus, or as dead letters (`unfit`: those that do
   * not fit the schema of their source). `repeats`: ids of those that were before, where that is
   * known at once.
   */
  readonly keep: (drafts: readonly EventDraft[]) => Promise<KeptDrafts>;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly mask: MaskSecrets;
  readonly onRefused?: (status: number) => void;
}

/** What became of a request's events; ids of `repeats` and `unfit` are among `events`. */
export interface KeptDrafts {
  readonly events: readonly OrgLoopEvent[];
  readonly repeats: readonly string[];
  readonly unfit: readonly string[];
}

/** When to send again what was not taken in. */
export const RETRY_AFTER_S = 5;
/** Characters of an id that the log keeps: anyone may send any. */
const LOGGED_ID = 200;

/**
 * Takes a webhook in: 200 only when the bus has every event of the request (`docs/commands.md`,
 * HTTP); what the source refuses, a source that there is not (404), another method than POST (405),
 * a foreign web page (403), an encoding that is not gzip (415) and what could not be kept (503,
 * with Retry-After) are told and logged.
 */
export async function answerWebhook(options: AnswerWebhookOptions): Promise<WebhookAnswer> {
  const { id, method, source, read } = options;
  if (!receives(source)) {
    return refuse(options, 404, `no source "${id.slice(0, LOGGED_ID)}" takes webhooks`);
  }
  if (method !== "POST") return refuse(options, 405, `${method} is not allowed: send a POST`);
  const page = foreignPage(options.header);
  if (page !== null && !options.takesFromPages()) return refuse(options, 403, refusalOf(page));
  if (options.closed !== undefined) return refuse(options, 503, options.closed);
  const encoding = contentEncoding(options.header("content-encoding"));
  if (encoding === null) return refuse(options, 415, OTHER_ENCODING);
  let drafts: readonly EventDraft[];
  try {
    const request = await read();
    const content = async () => {
      if (encoding === "identity") return request.body;
      const unpacked = await gunzipWithin(request.body, options.bodyLimit);
      options.onUnpacked?.(unpacked.byteLength);
      return unpacked;
    };
    drafts = await receiveDrafts(
      source,
      { ...request, content },
      options.timers,
      options.receiveMs,
    );
  } catch (error) {
    if (isRefused(error)) {
      return refuse(options, statusOf(error), messageOf(error), error.reason);
    }
    return refuse(options, isRetryAfter(error) ? 503 : 500, messageOf(error));
  }
  try {
    const { events, repeats, unfit } = await options.keep(drafts);
    const event_ids = events.map((event) => event.id);
    const body = {
      ok: true,
      event_id: event_ids[0] ?? null,
      event_ids,
      ...(repeats.length > 0 && { repeats }),
      ...(unfit.length > 0 && { invalid: unfit }),
    };
    return { status: 200, headers: {}, body };
  } catch (error) {
    return refuse(options, 503, `not kept: ${messageOf(error)}`);
  }
}

/**
 * Of `/webhook/platform/hook` and of `/webhook/platform%2Fhook`: one source
 * (`docs/configuration.md`, Workspaces).
 */
export function webhookSourceId(pathname: string): string {
  const rest = pathname.slice("/webhook/".length);
  try {
    return decodeURIComponent(rest);
  } catch {
    return rest;
  }
}

function refuse(
  { id, log, mask, onRefused }: AnswerWebhookOptions,
  status: number,
  message: string,
  code?: string,
): WebhookAnswer {
  const error = mask(message);
  log({ phase: "source.refused", source: id.slice(0, LOGGED_ID), error, metadata: { status } });
  onRefused?.(status);
  const headers = {
    ...(status === 503 && { "retry-after": String(RETRY_AFTER_S) }),
    ...(status === 405 && { allow: "POST" }),
    ...(status === 415 && { "accept-encoding": "gzip" }),
    ...(status === 413 && { connection: "close" }),
  };
  return { status, headers, body: { error, ...(code !== undefined && { code }) } };
}

const OTHER_ENCODING = "the body's content-encoding is not taken: send it as it is, or as gzip";

const refusalOf = (page: string): string =>
  `a web page sent this (${page.slice(0, LOGGED_ID)}), and the source has no secret: set one, or \`public: true\``;

/** Anything may have been thrown with that code. */
function statusOf({ status }: RefusedError): number {
  return Number.isInteger(status) && status >= 400 && status < 600 ? status : 500;
}

function receives(
  source: Pick<Source, "receive"> | undefined,
): source is Required<Pick<Source, "receive">> {
  return source?.receive !== undefined;
}
