import { isRetryAfter, messageOf, OrgLoopError, RetryAfterError } from "@orgloop/sdk";

/**
 * GitHub's primary rate limit as of the last response; its reset on the clock that the response was
 * understood by.
 */
export interface RateLimit {
  readonly limit: number;
  readonly remaining: number;
  readonly resetAtMs: number;
}

type Headers = Readonly<Record<string, string | number | undefined>>;

/**
 * Where GitHub limits without saying for how long, it asks for a minute at least (REST best
 * practices).
 */
const UNKNOWN_WAIT_MS = 60_000;

/** A reset is at most an hour away; a clock that is wrong must not stop a source for longer. */
const MAX_WAIT_MS = 3_600_000;

/**
 * `nowMs`: of the clock that the reset is to be told on. It is reckoned by GitHub's own clock where
 * the answer says its `date`, else by `wallMs`.
 */
export function rateLimitOf(
  headers: Headers,
  nowMs: number,
  wallMs: number,
): RateLimit | undefined {
  const [limit, remaining, reset] = ["limit", "remaining", "reset"].map((name) =>
    Number.parseInt(String(headers[`x-ratelimit-${name}`]), 10),
  ) as [number, number, number];
  if ([limit, remaining, reset].some(Number.isNaN)) return undefined;
  const answeredMs = Date.parse(String(headers.date));
  const resetInMs = reset * 1000 - (Number.isNaN(answeredMs) ? wallMs : answeredMs);
  return { limit, remaining, resetAtMs: nowMs + resetInMs };
}

/**
 * Throws {@link RetryAfterError} until the reset where more than `budget` (0 to 1) of the limit is
 * used.
 */
export function retryAfterBudget(
  limit: RateLimit | undefined,
  budget: number,
  nowMs: number,
): void {
  if (limit === undefined || nowMs >= limit.resetAtMs) return;
  if (limit.remaining > 0 && limit.limit - limit.remaining < limit.limit * budget) return;
  throw new RetryAfterError(
    `GitHub's rate limit: ${limit.remaining} of ${limit.limit} requests remain and rate_budget is ${budget}`,
    waitUntil(limit.resetAtMs, nowMs),
  );
}

/**
 * What a failed request means to the host: a rate limit says when to poll again, the rest says
 * where it failed.
 */
export function translateError(error: unknown, what: string, nowMs: number): unknown {
  if (isRetryAfter(error)) return error;
  const { status, response } = (error ?? {}) as {
    status?: number;
    response?: { headers: Headers };
  };
  if (status === undefined) return error;
  const message = `GitHub, ${what}: ${status} ${messageOf(error)}`;
  if (status === 403 || status === 429 || status === 503) {
    const waitMs = limitedForMs(status, messageOf(error), response?.headers ?? {}, nowMs);
    if (waitMs !== undefined) return new RetryAfterError(message, waitMs, { cause: error });
  }
  const remedy = {
    401: ": check `token`",
    403: ": `token` may not read this",
    404: ": check `repo`, and that `token` may read it",
  }[status];
  return new OrgLoopError("GITHUB_FAILED", message + (remedy ?? ""), { cause: error });
}

function limitedForMs(status: number, message: string, headers: Headers, nowMs: number) {
  const seconds = Number.parseInt(String(headers["retry-after"]), 10);
  if (!Number.isNaN(seconds)) return Math.min(Math.max(0, seconds * 1000), MAX_WAIT_MS);
  const limit = rateLimitOf(headers, nowMs, nowMs);
  if (limit?.remaining === 0) return waitUntil(limit.resetAtMs, nowMs);
  const limited = status === 429 || /secondary rate|abuse detection/i.test(message);
  return limited ? UNKNOWN_WAIT_MS : undefined;
}

/** A second more, as GitHub counts in whole ones. */
function waitUntil(atMs: number, nowMs: number): number {
  return Math.min(Math.max(0, atMs - nowMs) + 1000, MAX_WAIT_MS);
}
