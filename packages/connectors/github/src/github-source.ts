import {
  isRetryAfter,
  messageOf,
  OrgLoopError,
  PartialPollError,
  type PluginContext,
  parseDuration,
  type Source,
} from "@orgloop/sdk";
import { GITHUB_EVENTS, type GithubEvent, type GithubSourceConfig } from "./config.ts";
import type { GithubDraft } from "./event-draft.ts";
import { type GithubClient, githubApi } from "./github-client.ts";
import { issue as issueShape } from "./github-objects.ts";
import { fall, illLists, rests } from "./list-health.ts";
import { readStream } from "./read-stream.ts";
import type { StreamContext } from "./stream.ts";
import { readCheckpoint, type StreamState, writeCheckpoint } from "./stream-state.ts";
import { STREAMS } from "./streams.ts";

export interface GithubSourceOptions {
  /** Items a request; default 100, GitHub's maximum. */
  readonly perPage?: number;
  /** First wait before a failed request is tried again; default 1000. */
  readonly retryDelayMs?: number;
}

/**
 * A source that polls repositories. Each list of each repository has its own cursor in the
 * checkpoint, with its ETag, so that an unchanged list costs nothing of the rate limit. A poll may
 * be cut after any page: the next one goes on behind it. Pages are oldest first within a list;
 * lists are read one after the other. A list that fails does not keep the others from being read,
 * and is left alone for a while where the repository has not got it.
 */
export function githubSource(
  config: GithubSourceConfig,
  context: SourceContext,
  { perPage = 100, retryDelayMs = 1000 }: GithubSourceOptions = {},
): Source {
  const { now, warn } = context;
  const repos = [...new Set([config.repo ?? [], config.repos ?? []].flat())];
  const wanted = new Set(config.events);
  const authors = new Set(config.authors);
  const api = apiOf(config, context, retryDelayMs);
  warnUnpolled(wanted, warn);
  const wants = (event: GithubEvent) => wanted.has(event);
  const active = STREAMS.filter(({ events }) => events.some(wants));
  const byAuthor = ({ provenance }: GithubDraft) =>
    authors.size === 0 || authors.has(provenance.author ?? "");

  return {
    async *poll(checkpoint, { signal, deadlineMs }) {
      const client = api(signal);
      const stopped = () => signal.aborted || now() >= deadlineMs;
      const startMs = now() - parseDuration(config.initial_lookback);
      const streams = readCheckpoint(checkpoint, repos, active, { startMs, nowMs: now() });
      const lists = repos.flatMap((repo) =>
        active.map((stream) => ({ repo, stream, state: streams[repo]?.[stream.name] })),
      );
      const before = JSON.stringify(illLists(streams));
      const due = lists.filter(({ state }) => state !== undefined && !rests(state));
      const rested = due.length < lists.length;
      const issues = new Map(repos.map((repo) => [repo, issueCache(client, repo)]));
      const failures: OrgLoopError[] = [];
      let read = 0;
      // Where all of them rest, the source does: it is the host that leaves it alone.
      for (const { repo, stream, state } of due.length === 0 ? lists : due) {
        const issue = issues.get(repo);
        if (state === undefined || issue === undefined || stopped()) break;
        const context = { ...contextOf(repo, client, state), wants, issue };
        try {
          for await (const drafts of readStream(stream, state, { context, perPage, stopped })) {
            const events = drafts.filter(byAuthor);
            yield { events, checkpoint: writeCheckpoint(streams) };
          }
          delete state.ill;
          read += 1;
        } catch (error) {
          // A limit is the token's and an abort the host's: neither is this list's own.
          if (isRetryAfter(error) || signal.aborted) throw error;
          fall(state, messageOf(error), error);
          failures.push(failureOf(`${repo} ${stream.name}`, error));
        }
      }
      if (signal.aborted) return;
      if (rested || JSON.stringify(illLists(streams)) !== before) {
        yield { events: [], checkpoint: writeCheckpoint(streams) };
      }
      if (failures.length > 0) throw together(failures, read > 0);
    },
    illLists: (checkpoint) =>
      illLists(readCheckpoint(checkpoint, repos, active, { startMs: now(), nowMs: now() })),
  };
}

function warnUnpolled(wanted: ReadonlySet<string>, warn: PluginContext["warn"]): void {
  for (const event of wanted.difference(new Set<string>(GITHUB_EVENTS))) {
    warn(`events: ${event} is not polled; known are ${GITHUB_EVENTS.join(", ")}`);
  }
}

type SourceContext = Pick<PluginContext, "id" | "now" | "monotonic" | "warn" | "fetch">;

function apiOf(
  { token, base_url: baseUrl, rate_budget: rateBudget }: GithubSourceConfig,
  { id, now, monotonic = now, fetch }: SourceContext,
  retryDelayMs: number,
): (signal: AbortSignal) => GithubClient {
  return githubApi({ id, token, baseUrl, fetch, rateBudget, now, monotonic, retryDelayMs });
}

function contextOf(
  fullName: string,
  client: GithubClient,
  state: StreamState,
): Pick<StreamContext, "repo" | "client" | "parameters" | "since"> {
  const [owner = "", repo = ""] = fullName.split("/");
  const since = (at: string) => Date.parse(at) >= Date.parse(state.from);
  return { repo: fullName, client, parameters: { owner, repo }, since };
}

function issueCache(client: GithubClient, fullName: string): StreamContext["issue"] {
  const [owner, repo] = fullName.split("/");
  const known = new Map<number, ReturnType<StreamContext["issue"]>>();
  return async (number) => {
    const route = "GET /repos/{owner}/{repo}/issues/{number}";
    const issue = known.get(number) ?? client.get(route, { owner, repo, number }, issueShape);
    known.set(number, issue);
    return issue;
  };
}

function failureOf(list: string, cause: unknown): OrgLoopError {
  return new OrgLoopError("GITHUB_FAILED", `${list}: ${messageOf(cause)}`, { cause });
}

function together(failures: readonly OrgLoopError[], partial: boolean): OrgLoopError {
  const message = failures.map(messageOf).join("; ");
  const cause = failures.length === 1 ? failures[0] : new AggregateError(failures);
  return partial
    ? new PartialPollError("GITHUB_FAILED", message, { cause })
    : new OrgLoopError("GITHUB_FAILED", message, { cause });
}
