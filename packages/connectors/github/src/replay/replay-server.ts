import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Collections, lookUp } from "./collections.ts";
import {
  type Exchange,
  emptyCollections,
  recordedCollections,
  recordedExchanges,
} from "./recordings.ts";

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Instead of a body: what is sent word for word. */
  readonly raw?: string;
}

export interface ReplayServer {
  /** `http://127.0.0.1:PORT`: the `base_url` of a github source. */
  readonly url: string;
  /** What was asked, and with which status it was answered. */
  readonly requests: {
    readonly path: string;
    readonly status: number;
    readonly authorization: string | undefined;
  }[];
  /** The objects of a repository; an unknown one is created empty. */
  repository(fullName: string): Collections;
  /** Asked before anything else: what it returns is the answer. */
  intercept: ((path: string) => Answer | undefined) | undefined;
  close(): Promise<void>;
}

const SCENARIOS = ["paginate-issues", "get-repository"];

/**
 * Serves recordings of GitHub's API on 127.0.0.1: the exchanges of `@octokit/fixtures` word for
 * word, and the objects inside `@octokit/webhooks-examples` (repositories `Codertocat/Hello-World`,
 * `octo-org/octo-repo` …) in lists that answer as GitHub's do, with `since`, pages, Link, ETag, 304
 * and rate limit. Links lead to the server itself.
 */
export async function replayServer(): Promise<ReplayServer> {
  const repositories = recordedCollections();
  const exchanges = SCENARIOS.flatMap(recordedExchanges);
  const server = createServer((request, response) => respond(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const replay: ReplayServer = {
    url,
    requests: [],
    intercept: undefined,
    repository(fullName) {
      const collections = repositories.get(fullName) ?? emptyCollections();
      repositories.set(fullName, collections);
      return collections;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };

  function respond(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "/";
    const answer = replay.intercept?.(path) ??
      recordedAnswer(exchanges, path, url) ??
      listAnswer(repositories, new URL(path, url)) ?? {
        status: 404,
        body: { message: "Not Found" },
      };
    const body = answer.raw ?? (answer.body === undefined ? "" : JSON.stringify(answer.body));
    const etag = `W/"${createHash("sha256").update(body).digest("hex")}"`;
    const unchanged = answer.status === 200 && request.headers["if-none-match"] === etag;
    const status = unchanged ? 304 : answer.status;
    const { authorization } = request.headers;
    replay.requests.push({ path, status, authorization });
    // The time that it tells is a test's.
    response.sendDate = false;
    response.writeHead(status, {
      "content-type": "application/json; charset=utf-8",
      "x-ratelimit-limit": "5000",
      "x-ratelimit-remaining": "4999",
      "x-ratelimit-reset": "4102444800",
      ...(answer.status === 200 && { etag }),
      ...answer.headers,
    });
    response.end(unchanged ? undefined : body);
  }

  return replay;
}

/**
 * The recorded answer to exactly this path; to a list's path with other parameters, that of its
 * first page.
 */
function recordedAnswer(
  exchanges: readonly Exchange[],
  path: string,
  url: string,
): Answer | undefined {
  const pathOf = (text: string) => text.split("?")[0];
  const found =
    exchanges.find((exchange) => exchange.method === "get" && exchange.path === path) ??
    exchanges.find(
      (exchange) => exchange.method === "get" && pathOf(exchange.path) === pathOf(path),
    );
  if (found === undefined) return undefined;
  const { link } = found.headers;
  return {
    status: found.status,
    body: found.response,
    ...(link !== undefined && {
      headers: { link: String(link).replaceAll("https://api.github.com", url) },
    }),
  };
}

function listAnswer(repositories: ReadonlyMap<string, Collections>, url: URL): Answer | undefined {
  const [, repo, path] = /^\/repos\/([^/]+\/[^/]+)\/(.+)$/.exec(url.pathname) ?? [];
  const collections = repositories.get(repo ?? "");
  if (collections === undefined) return undefined;
  const found = lookUp(collections, path ?? "", url.searchParams);
  if (found === undefined) return undefined;
  if ("one" in found) return { status: 200, body: found.one };
  const page = Number(url.searchParams.get("page") ?? 1);
  const size = Math.min(Number(url.searchParams.get("per_page") ?? 30), 100);
  const items = found.list.slice((page - 1) * size, page * size);
  const next = new URL(url);
  next.searchParams.set("page", String(page + 1));
  return {
    status: 200,
    body: found.key ? { total_count: found.list.length, [found.key]: items } : items,
    ...(page * size < found.list.length && { headers: { link: `<${next}>; rel="next"` } }),
  };
}
