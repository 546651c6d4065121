import { Octokit } from "@octokit/core";
import { retry } from "@octokit/plugin-retry";
import { throttling } from "@octokit/plugin-throttling";
import { OrgLoopError } from "@orgloop/sdk";
import type * as z from "zod";
import { listOf, objectOf } from "./check-answer.ts";
import { type RateLimit, rateLimitOf, retryAfterBudget, translateError } from "./rate-limit.ts";

export interface ClientOptions {
  readonly id: string;
  readonly token: string | undefined;
  readonly baseUrl: string;
  /** The host's, which says what may be reached. */
  readonly fetch: typeof globalThis.fetch;
  /** 0 to 1: the part of the rate limit that may be used. */
  readonly rateBudget: number;
  /** The machine's clock, by which GitHub's times are understood. */
  readonly now: () => number;
  /** One that nobody sets, by which it is waited. */
  readonly monotonic: () => number;
  /** The first wait before a failed request is tried again; the waits grow. */
  readonly retryDelayMs: number;
}

/** What a list holds: items of a shape, in an object where there is a `key`. */
export interface ListShape<Schema extends z.ZodType = z.ZodType> {
  readonly item: Schema;
  readonly key?: string | undefined;
}

export interface ListPage<Value> {
  readonly items: readonly Value[];
  readonly etag: string | undefined;
  /** URL of the next page. */
  readonly next: string | undefined;
}

/**
 * Reads GitHub's REST API. Throws `RetryAfterError` at a rate limit or where the budget is used up,
 * `GITHUB_FAILED` where an answer has not the shape that was asked for, and stops at the signal.
 */
export interface GithubClient {
  /**
   * One page; undefined where it is the one that `etag` names (304: it costs nothing of the limit).
   */
  page<Schema extends z.ZodType>(
    route: string,
    parameters: object,
    shape: ListShape<Schema>,
    etag?: string,
  ): Promise<ListPage<z.output<Schema>> | undefined>;
  all<Schema extends z.ZodType>(
    route: string,
    parameters: object,
    item: Schema,
  ): Promise<readonly z.output<Schema>[]>;
  /** Undefined where it does not exist or is gone. */
  get<Schema extends z.ZodType>(
    route: string,
    parameters: object,
    shape: Schema,
  ): Promise<z.output<Schema> | undefined>;
}

const ThrottledOctokit = Octokit.plugin(throttling, retry);

/**
 * The answers' bodies as they came: what they hold is ours to read, numbers as they were written.
 */
const UNREAD = { parseSuccessResponseBody: false };

/** Opens GitHub's API; the returned function gives the client of one poll. */
export function githubApi(options: ClientOptions): (signal: AbortSignal) => GithubClient {
  const { rateBudget, now, monotonic } = options;
  const octokit = octokitOf(options);
  let limit: RateLimit | undefined;
  octokit.hook.after("request", (response) => {
    limit = rateLimitOf(response.headers, monotonic(), now()) ?? limit;
  });

  return (signal) => {
    const guarded = async <T>(work: () => Promise<T>, what: string): Promise<T> => {
      signal.throwIfAborted();
      retryAfterBudget(limit, rateBudget, monotonic());
      try {
        return await orAborted(work(), signal);
      } catch (error) {
        throw translateError(error, what, now());
      }
    };
    const ask: Ask = async (route, parameters, headers = {}) => {
      const request = { signal, ...UNREAD };
      const response = await octokit.request(route, { ...parameters, headers, request });
      const body = await new Response(response.data as ReadableStream | null).text();
      return { headers: response.headers, body };
    };
    return clientOf(guarded, ask, options.baseUrl);
  };
}

function octokitOf({ id, token, baseUrl, fetch, retryDelayMs }: ClientOptions) {
  // The host waits, not the library: a poll that sleeps until the limit's reset would hold its
  // deadline.
  const give = () => false;
  const silent = () => undefined;
  return new ThrottledOctokit({
    ...(token !== undefined && { auth: token }),
    baseUrl: baseUrl.replace(/\/$/, ""),
    request: { fetch },
    userAgent: "OrgLoop",
    log: { debug: silent, info: silent, warn: silent, error: silent },
    throttle: { id, onRateLimit: give, onSecondaryRateLimit: give },
    retry: {
      retries: 2,
      retryAfterBaseValue: retryDelayMs,
      doNotRetry: [400, 401, 403, 404, 409, 410, 422, 429, 451],
    },
  });
}

type Guarded = <T>(work: () => Promise<T>, what: string) => Promise<T>;

/** Sends a request; the answer's headers, and its body as text. */
type Ask = (
  route: string,
  parameters: object,
  headers?: Record<string, string>,
) => Promise<{
  readonly headers: { readonly etag?: string | undefined; readonly link?: string | undefined };
  readonly body: string;
}>;

function clientOf(guarded: Guarded, ask: Ask, baseUrl: string): GithubClient {
  const client: GithubClient = {
    page: (route, parameters, shape, etag) =>
      guarded(async () => {
        const tag = etag === undefined ? undefined : { "if-none-match": etag };
        const answer = await ask(route, parameters, tag).catch((error: unknown) => {
          if (etag !== undefined && hasStatus(error, 304)) return undefined;
          throw error;
        });
        if (answer === undefined) return undefined;
        const { headers, body } = answer;
        return {
          items: listOf(body, shape, route),
          etag: headers.etag,
          next: nextLink(headers.link, baseUrl),
        };
      }, route),
    async all(route, parameters, item) {
      const items = [];
      let asked: [string, object] = [route, { ...parameters, per_page: 100 }];
      for (;;) {
        const page = await client.page(...asked, { item });
        items.push(...(page?.items ?? []));
        if (page?.next === undefined) return items;
        asked = [`GET ${page.next}`, {}];
      }
    },
    get: (route, parameters, shape) =>
      guarded(async () => {
        try {
          return objectOf((await ask(route, parameters)).body, shape, route);
        } catch (error) {
          if (hasStatus(error, 404) || hasStatus(error, 410)) return undefined;
          throw error;
        }
      }, route),
  };
  return client;
}

/**
 * The link to the next page. The token would go along: another origin than the configured one is
 * refused.
 */
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
