/** An object as GitHub's API shows it. */
export interface Recorded {
  readonly id: number;
  readonly updated_at: string;
  readonly [key: string]: unknown;
}

/** A repository's objects. They may be changed while a server shows them. */
export interface Collections {
  /** Issues, and pull requests in the short form. */
  readonly issues: Recorded[];
  readonly pulls: Recorded[];
  readonly issueComments: Recorded[];
  readonly reviewComments: Recorded[];
  readonly reviews: Recorded[];
  /** Of the timeline; each has the `number` of its issue. */
  readonly issueEvents: Recorded[];
  readonly workflowRuns: Recorded[];
  readonly checkSuites: Recorded[];
}

/**
 * What a path of a repository shows: a list, one object, or nothing. `path` is what follows
 * `/repos/OWNER/NAME/`.
 */
export function lookUp(
  collections: Collections,
  path: string,
  query: URLSearchParams,
):
  | { readonly list: readonly Recorded[]; readonly key?: string }
  | { readonly one: Recorded }
  | undefined {
  const { issues, pulls, issueComments, reviewComments, reviews, issueEvents } = collections;
  if (path === "issues") return { list: updatedSince(issues, query) };
  if (path === "issues/comments") return { list: updatedSince(issueComments, query) };
  if (path === "pulls/comments") return { list: updatedSince(reviewComments, query) };
  if (path === "actions/runs") {
    return { list: matchingRuns(collections.workflowRuns, query), key: "workflow_runs" };
  }
  if (path === "commits/HEAD/check-suites") {
    return { list: collections.checkSuites, key: "check_suites" };
  }
  const [, kind, number, rest] = /^(issues|pulls)\/(\d+)(?:\/(\w+))?$/.exec(path) ?? [];
  if (kind === undefined) return undefined;
  if (rest === "events")
    return { list: issueEvents.filter((event) => event.number === Number(number)) };
  if (rest === "reviews") {
    return {
      list: reviews.filter((review) => String(review.pull_request_url).endsWith(`/${number}`)),
    };
  }
  const one = (kind === "issues" ? issues : pulls).find((item) => item.number === Number(number));
  return one && rest === undefined ? { one } : undefined;
}

function updatedSince(items: readonly Recorded[], query: URLSearchParams): Recorded[] {
  const sinceMs = Date.parse(query.get("since") ?? "1970-01-01T00:00:00Z");
  const state = query.get("state") ?? "open";
  const ascending = query.get("direction") === "asc" ? 1 : -1;
  return items
    .filter((item) => Date.parse(item.updated_at) >= sinceMs)
    .filter((item) => item.state === undefined || state === "all" || item.state === state)
    .sort((a, b) => ascending * (Date.parse(a.updated_at) - Date.parse(b.updated_at)));
}

function matchingRuns(runs: readonly Recorded[], query: URLSearchParams): Recorded[] {
  const status = query.get("status");
  const createdMs = Date.parse(query.get("created")?.replace(/^>=/, "") ?? "1970-01-01");
  return runs
    .filter((run) => status === null || run.conclusion === status || run.status === status)
    .filter((run) => Date.parse(String(run.created_at)) >= createdMs)
    .sort((a, b) => Date.parse(String(b.created_at)) - Date.parse(String(a.created_at)));
}
