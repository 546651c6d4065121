import { Octokit } from "@octokit/core";
import { paginateRest } from "@octokit/plugin-paginate-rest";
import { retry } from "@octokit/plugin-retry";
import { throttling } from "@octokit/plugin-throttling";
import { OrgLoopError } from "@orgloop/sdk";
import { type RateLimit, rateLimitOf, retryAfterBudget, translateError } from "./rate-limit.ts";

export interface ClientOptions {
  readonly id: string;
  readonly token: string | undefined;
  readonly baseUrl: string;
  /** The host's, which says what may be reached. */
  readonly fetch: typeof globalThis.fetch;
  /** 0 to 1: the part of the rate limit that may be used. */
  readonly rateBudget: number;
  readonly now: () => number;
  /** The first wait before a failed request is tried again; the waits grow. */
  readonly retryDelayMs: number;
}

export interface ListPage {
  readonly items: readonly unknown[];
  readonly etag: string | undefined;
  /** URL of the next page. */
  readonly next: string | undefined;
}

/** Reads GitHub's REST API. Throws `RetryAfterError` at a rate limit or where the budget is used up, and stops at the signal. */
export interface GithubClient {
  /** One page; undefined where it is the one that `etag` names (304: it costs nothing of the limit). */
  page(route: string, parameters: object, etag?: string): Promise<ListPage | undefined>;
  all(route: string, parameters: object): Promise<readonly unknown[]>;
  /** Undefined where it does not exist or is gone. */
  get(route: string, parameters: object): Promise<unknown>;
}

const ThrottledOctokit = Octokit.plugin(throttling, retry, paginateRest);

/** Opens GitHub's API; the returned function gives the client of one poll. */
export function githubApi(options: ClientOptions): (signal: AbortSignal) => GithubClient {
  const { id, token, baseUrl, rateBudget, now } = options;
  // The host waits, not the library: a poll that sleeps until the limit's reset would hold its deadline.
  const give = () => false;
  const silent = () => undefined;
  const octokit = new ThrottledOctokit({
    ...(token !== undefined && { auth: token }),
    baseUrl: baseUrl.replace(/\/$/, ""),
    request: { fetch: options.fetch },
    userAgent: "OrgLoop",
    log: { debug: silent, info: silent, warn: silent, error: silent },
    throttle: { id, onRateLimit: give, onSecondaryRateLimit: give },
    retry: {
      retries: 2,
      retryAfterBaseValue: options.retryDelayMs,
      doNotRetry: [400, 401, 403, 404, 409, 410, 422, 429, 451],
    },
  });
  let limit: RateLimit | undefined;
  octokit.hook.after("request", (response) => {
    limit = rateLimitOf(response.headers) ?? limit;
  });

  return (signal) => {
    const guarded = async <T>(work: () => Promise<T>, what: string): Promise<T> => {
      signal.throwIfAborted();
      retryAfterBudget(limit, rateBudget, now());
      try {
        return await orAborted(work(), signal);
      } catch (error) {
        throw translateError(error, what, now());
      }
    };
    return {
      page: (route, parameters, etag) =>
        guarded(async () => {
          const response = await octokit
            .request(route, {
              ...parameters,
              headers: etag === undefined ? {} : { "if-none-match": etag },
              request: { signal },
            })
            .catch((error: unknown) => {
              if (hasStatus(error, 304)) return undefined;
              throw error;
            });
          if (response === undefined) return undefined;
          const { headers, data } = response;
          return {
            items: itemsOf(data),
            etag: headers.etag,
            next: nextLink(headers.link, baseUrl),
          };
        }, route),
      all: (route, parameters) =>
        guarded(
          () => octokit.paginate(route, { ...parameters, per_page: 100, request: { signal } }),
          route,
        ),
      get: (route, parameters) =>
        guarded(async () => {
          try {
            return (await octokit.request(route, { ...parameters, request: { signal } })).data;
          } catch (error) {
            if (hasStatus(error, 404) || hasStatus(error, 410)) return undefined;
            throw error;
          }
        }, route),
    };
  };
}

/** A list, or an object of a count and one list (`{ total_count, workflow_runs }`). */
function itemsOf(data: unknown): readonly unknown[] {
  if (Array.isArray(data)) return data;
  return Object.values((data ?? {}) as object).find(Array.isArray) ?? [];
}

/** The link to the next page. The token would go along: another origin than the configured one is refused. */
function nextLink(link: string | undefined, baseUrl: string): string | undefined {
  const next = link
    ?.split(",")
    .find((part) => part.includes('rel="next"'))
    ?.match(/<([^<>]+)>/)?.[1];
  if (next !== undefined && new URL(next).origin !== new URL(baseUrl).origin) {
    throw new OrgLoopError(
      "GITHUB_FAILED",
      `the link to the next page leads to ${new URL(next).origin}: check base_url`,
    );
  }
  return next;
}

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof Error && "status" in error && error.status === status;
}

/** The retry plugin sleeps between attempts without looking at the signal. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
