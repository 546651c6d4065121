import { checkSuiteEvents, workflowRunEvents } from "./check-events.ts";
import { issueCommentEvents, reviewCommentEvents } from "./comment-events.ts";
import type { GithubEvent } from "./config.ts";
import type { GithubDraft } from "./event-draft.ts";
import type { GithubClient } from "./github-client.ts";
import type { CheckSuite, Comment, Issue, WorkflowRun } from "./github-objects.ts";
import { issueEvents } from "./issue-events.ts";

/** What the reading of one list knows. */
export interface StreamContext {
  /** `owner/name`. */
  readonly repo: string;
  readonly client: GithubClient;
  readonly parameters: { readonly owner: string; readonly repo: string };
  readonly wants: (event: GithubEvent) => boolean;
  /** True for a time that no earlier cycle has covered. */
  readonly since: (at: string) => boolean;
  /** An issue or pull request by its number, asked for once a poll. */
  readonly issue: (number: number) => Promise<Issue | undefined>;
}

export interface Item {
  readonly id: number;
  readonly updated_at: string;
}

/** One list of a repository, read with a cursor of its own. */
export interface Stream {
  readonly name: string;
  readonly events: readonly GithubEvent[];
  readonly route: string;
  /** `ascending`: by `updated_at` and from a time on. `recent`: newest first, so that it must be read whole. */
  readonly order: "ascending" | "recent";
  /** Query parameters beside `since`; `from` is where the list is to be read from. */
  readonly query: (from: string) => Readonly<Record<string, string>>;
  readonly drafts: (item: Item, context: StreamContext) => Promise<GithubDraft[]>;
}

/** A run may fail long after it was created, and GitHub lists by creation: so far back each poll looks. */
const RUN_DURATION_MS = 3 * 86_400_000;

const UPDATED = { sort: "updated", direction: "asc" };

/** All lists; those of which nothing is wanted are not read. */
export const STREAMS: readonly Stream[] = [
  {
    name: "issues",
    events: [
      "issues.opened",
      "issues.closed",
      "pull_request.opened",
      "pull_request.ready_for_review",
      "pull_request.closed",
      "pull_request.merged",
      "pull_request.review_submitted",
    ],
    // Pull requests too: their own list knows no `since`.
    route: "GET /repos/{owner}/{repo}/issues",
    order: "ascending",
    query: (since) => ({ state: "all", ...UPDATED, since }),
    drafts: (item, context) => issueEvents(item as Issue, context),
  },
  {
    name: "issue_comments",
    events: ["issue_comment"],
    route: "GET /repos/{owner}/{repo}/issues/comments",
    order: "ascending",
    query: (since) => ({ ...UPDATED, since }),
    drafts: (item, context) => issueCommentEvents(item as Comment, context),
  },
  {
    name: "review_comments",
    events: ["pull_request_review_comment"],
    route: "GET /repos/{owner}/{repo}/pulls/comments",
    order: "ascending",
    query: (since) => ({ ...UPDATED, since }),
    drafts: (item, context) => reviewCommentEvents(item as Comment, context),
  },
  {
    name: "workflow_runs",
    events: ["workflow_run.completed"],
    route: "GET /repos/{owner}/{repo}/actions/runs",
    order: "recent",
    query: (since) => ({
      status: "failure",
      created: `>=${new Date(Date.parse(since) - RUN_DURATION_MS).toISOString().slice(0, 19)}Z`,
    }),
    drafts: async (item, { repo }) => workflowRunEvents(item as unknown as WorkflowRun, repo),
  },
  {
    name: "check_suites",
    events: ["check_suite.completed"],
    route: "GET /repos/{owner}/{repo}/commits/HEAD/check-suites",
    order: "recent",
    query: () => ({}),
    drafts: async (item, { repo }) => checkSuiteEvents(item as unknown as CheckSuite, repo),
  },
];
