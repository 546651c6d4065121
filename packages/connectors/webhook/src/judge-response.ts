import { OrgLoopError, PermanentError, RetryAfterError } from "@orgloop/sdk";
import type { IncomingResponse } from "./send-request.ts";

const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;

/**
 * Returns for 2xx and throws for the rest: 408, 425, 429 and 5xx are tried again (with Retry-After:
 * not before), 410 is gone, other 4xx are permanent, and a redirect is a failure: what it leads to
 * was not what the configuration named.
 */
export function judgeResponse(response: IncomingResponse, from: string, nowMs: number): void {
  const { status } = response;
  if (status >= 200 && status < 300) return;
  const excerpt = response.excerpt && `: ${response.excerpt}`;
  const message = `${from} answered ${status}${excerpt}`;
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    const retryAfterMs = parseRetryAfter(response.headers, nowMs);
    if (retryAfterMs !== undefined) throw new RetryAfterError(message, retryAfterMs);
    throw new OrgLoopError("ACTOR_FAILED", message);
  }
  if (status >= 400) throw new PermanentError(message, { gone: status === 410 });
  throw new OrgLoopError("ACTOR_FAILED", `${message} (redirects are not followed)`);
}

/**
 * Milliseconds to wait: the header holds seconds or an HTTP date (RFC 9110, 10.2.3), which is
 * reckoned by the clock of the one who answered, told by its `Date`; without one, by ours.
 * Undefined where it holds neither.
 */
export function parseRetryAfter(headers: Headers, nowMs: number): number | undefined {
  const text = headers.get("retry-after")?.trim() ?? "";
  // Whoever asks for more than a century is told to wait a century.
  if (/^\d+$/.test(text)) return Math.min(Number(text), 3e9) * 1000;
  const atMs = parseHttpDate(text);
  if (atMs === undefined) return undefined;
  return Math.max(0, atMs - (parseHttpDate(headers.get("date") ?? "") ?? nowMs));
}

function parseHttpDate(text: string): number | undefined {
  if (!HTTP_DATE.test(text)) return undefined;
  // The oldest of the three forms (asctime) names no zone: it is GMT, too (RFC 9110, 5.6.7).
  const atMs = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`);
  return Number.isNaN(atMs) ? undefined : atMs;
}
