import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import {
  checkDrafts,
  type EventDraft,
  formatDuration,
  hasCode,
  messageOf,
  OrgLoopError,
  RefusedError,
  type Source,
  type WebhookRequest,
} from "@orgloop/sdk";
import type { Timers } from "../ports/clock.ts";

/**
 * A header of a request. `Origin` and `Sec-Fetch-Site` are what a browser says of itself: nothing
 * else sends them of itself.
 */
export type ReadHeader = (
  name: "origin" | "sec-fetch-site" | "content-encoding",
) => string | undefined;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
/** What a page of this very origin sends, and what is typed into the browser. */
const OWN_SITES = ["none", "same-origin"];

/**
 * Which foreign page made a browser send a request, as the browser marks it; null where none did.
 * Host and Content-Type say nothing: tunnels and proxies change the first, and a page may send most
 * of the second without asking.
 */
export function foreignPage(header: ReadHeader): string | null {
  const origin = header("origin");
  if (origin !== undefined && !isLoopback(origin)) return `Origin: ${origin}`;
  const site = header("sec-fetch-site");
  if (site !== undefined && !OWN_SITES.includes(site)) return `Sec-Fetch-Site: ${site}`;
  return null;
}

/** `null`, as sandboxed pages and files send it, is no origin that anyone could trust. */
function isLoopback(origin: string): boolean {
  const url = URL.parse(origin);
  return url !== null && LOOPBACK.test(url.hostname);
}

/**
 * Whether requests of foreign pages are taken: the source's own secret guards it, or it is `public`
 * (`docs/configuration.md`).
 */
export function takesFromPages(source: {
  readonly public?: boolean;
  readonly config: Readonly<Record<string, unknown>>;
}): boolean {
  if (source.public === true) return true;
  return Object.entries(source.config).some(([key, value]) => SECRET.test(key) && isSet(value));
}

/** `secret` of our own connectors, `signing_secret` and the like of others. */
const SECRET = /(^|[a-z]_?)secrets?$/i;

const isSet = (value: unknown): boolean =>
  Array.isArray(value) ? value.some(isSet) : typeof value === "string" && value !== "";

const gunzipped = promisify(gunzip);

/** The encoding of a request's body by its `content-encoding`; null for one that is not taken. */
export function contentEncoding(header: string | undefined): "identity" | "gzip" | null {
  const name = header?.trim().toLowerCase() ?? "";
  if (name === "" || name === "identity") return "identity";
  return name === "gzip" || name === "x-gzip" ? "gzip" : null;
}

/**
 * What was compressed, never more than `limit` bytes of it in memory. Throws {@link RefusedError}
 * 413 where it is more, and 400 where it is no gzip.
 */
export async function gunzipWithin(body: Uint8Array, limit: number): Promise<Uint8Array> {
  try {
    return await gunzipped(body, { maxOutputLength: limit });
  } catch (cause) {
    if (hasCode(cause, "ERR_BUFFER_TOO_LARGE")) {
      throw new RefusedError(413, `the body is larger than ${limit} bytes when it is unpacked`, {
        cause,
      });
    }
    throw new RefusedError(400, `the body is no gzip: ${messageOf(cause)}`, { cause });
  }
}

/** A source that never answers must not keep the connections of the others. */
const LONGEST_MS = 60_000;

/**
 * What a source makes of a request. Throws what it throws, `TIMEOUT` where it does not answer
 * within `longestMs` (default: a minute), and `INVALID_ANSWER` for what are no events.
 */
export async function receiveDrafts(
  source: Required<Pick<Source, "receive">>,
  request: WebhookRequest,
  timers: Timers,
  longestMs = LONGEST_MS,
): Promise<readonly EventDraft[]> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = timers.setTimeout(() => {
    const message = `the source gave no answer within ${formatDuration(longestMs)}`;
    reject(new OrgLoopError("TIMEOUT", message));
  }, longestMs);
  try {
    const drafts = await Promise.race([source.receive(request), promise]);
    const wrong = checkDrafts(drafts);
    if (wrong === null) return drafts;
    throw new OrgLoopError("INVALID_ANSWER", `the source made no events of it: ${wrong}`);
  } finally {
    timers.clearTimeout(timer);
  }
}
