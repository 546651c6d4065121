import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Collections, Recorded } from "./collections.ts";

interface Delivery {
  readonly name: string;
  readonly examples: readonly Record<string, unknown>[];
}

/** One recorded exchange of `@octokit/fixtures`. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly response: unknown;
}

const require = createRequire(import.meta.url);

/**
 * The exchanges of a scenario of `@octokit/fixtures`, e.g. `paginate-issues`, as they were
 * recorded.
 */
export function recordedExchanges(scenario: string): Exchange[] {
  // Not by importing the package: that loads nock, which takes over Node's http.
  const folder = require.resolve("@octokit/fixtures/package.json").replace(/package\.json$/, "");
  const file = `${folder}scenarios/api.github.com/${scenario}/normalized-fixture.json`;
  return JSON.parse(readFileSync(file, "utf8"));
}

/**
 * The objects inside the recorded deliveries of `@octokit/webhooks-examples`, by repository, each
 * in its latest version: what GitHub's lists would have shown. Lists of issues show pull requests
 * in a short form, and timelines are lists of events: both are made of the recorded pull requests
 * here.
 */
export function recordedCollections(): Map<string, Collections> {
  const repositories = new Map<string, Collections>();
  const deliveries: Delivery[] = require("@octokit/webhooks-examples");
  for (const { name, examples } of deliveries) {
    for (const payload of examples) {
      const repo = (payload.repository as { full_name?: string } | undefined)?.full_name;
      if (repo === undefined) continue;
      const collections = repositories.get(repo) ?? emptyCollections();
      repositories.set(repo, collections);
      collect(name, payload, collections);
    }
  }
  return repositories;
}

export function emptyCollections(): Collections {
  return {
    issues: [],
    pulls: [],
    issueComments: [],
    reviewComments: [],
    reviews: [],
    issueEvents: [],
    workflowRuns: [],
    checkSuites: [],
  };
}

function collect(name: string, payload: Record<string, unknown>, to: Collections): void {
  const { action, issue, pull_request, comment, review, workflow_run, check_suite } =
    payload as Record<string, Recorded | undefined> & { action?: string };
  if (issue?.updated_at) keepLatest(to.issues, issue);
  if (pull_request?.updated_at) {
    keepLatest(to.issues, asIssue(pull_request));
    if (pull_request.head) keepLatest(to.pulls, pull_request);
  }
  if (name === "pull_request" && action === "ready_for_review" && pull_request) {
    keepLatest(to.issueEvents, {
      id: pull_request.id,
      event: action,
      actor: payload.sender,
      created_at: pull_request.updated_at,
      updated_at: pull_request.updated_at,
      number: pull_request.number,
    } as Recorded);
  }
  if (name === "issue_comment" && comment) keepLatest(to.issueComments, comment);
  if (name === "pull_request_review_comment" && comment) keepLatest(to.reviewComments, comment);
  if (review?.submitted_at) {
    // Webhooks say commented, the API COMMENTED.
    const state = String(review.state).toUpperCase();
    keepLatest(to.reviews, { ...review, state, updated_at: String(review.submitted_at) });
  }
  if (workflow_run) keepLatest(to.workflowRuns, workflow_run);
  if (check_suite?.updated_at) keepLatest(to.checkSuites, check_suite);
}

function keepLatest(list: Recorded[], item: Recorded): void {
  const index = list.findIndex(({ id }) => id === item.id);
  const known = list[index];
  if (known === undefined) list.push(item);
  else if (Date.parse(known.updated_at) < Date.parse(item.updated_at)) list[index] = item;
}

function asIssue(pull: Recorded): Recorded {
  const { id, number, title, user, labels, state, created_at, updated_at, closed_at, draft } = pull;
  const { author_association, html_url, body, url, merged_at } = pull;
  const issue = {
    id,
    number,
    title,
    user,
    labels,
    state,
    created_at,
    updated_at,
    closed_at,
    draft,
  };
  return {
    ...issue,
    labels: labels ?? [],
    author_association,
    html_url,
    body,
    pull_request: { url, merged_at: merged_at ?? null },
  };
}
