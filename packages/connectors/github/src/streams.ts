import { checkSuiteEvents, workflowRunEvents } from "./check-events.ts";
import { issueCommentEvents, reviewCommentEvents } from "./comment-events.ts";
import {
  type CheckSuite,
  type Comment,
  checkSuite,
  comment,
  type Issue,
  issue,
  type WorkflowRun,
  workflowRun,
} from "./github-objects.ts";
import { issueEvents } from "./issue-events.ts";
import type { Stream } from "./stream.ts";

/**
 * A run may fail long after it was created, and GitHub lists by creation: so far back each poll
 * looks.
 */
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
    shape: { item: issue },
    order: "ascending",
    query: (since) => ({ state: "all", ...UPDATED, since }),
    drafts: (item, context) => issueEvents(item as Issue, context),
  },
  {
    name: "issue_comments",
    events: ["issue_comment"],
    route: "GET /repos/{owner}/{repo}/issues/comments",
    shape: { item: comment },
    order: "ascending",
    query: (since) => ({ ...UPDATED, since }),
    drafts: (item, context) => issueCommentEvents(item as Comment, context),
  },
  {
    name: "review_comments",
    events: ["pull_request_review_comment"],
    route: "GET /repos/{owner}/{repo}/pulls/comments",
    shape: { item: comment },
    order: "ascending",
    query: (since) => ({ ...UPDATED, since }),
    drafts: (item, context) => reviewCommentEvents(item as Comment, context),
  },
  {
    name: "workflow_runs",
    events: ["workflow_run.completed"],
    route: "GET /repos/{owner}/{repo}/actions/runs",
    shape: { item: workflowRun, key: "workflow_runs" },
    order: "recent",
    query: (since) => ({
      status: "failure",
      created: `>=${new Date(Date.parse(since) - RUN_DURATION_MS).toISOString().slice(0, 19)}Z`,
    }),
    drafts: async (item, { repo }) => workflowRunEvents(item as WorkflowRun, repo),
  },
  {
    name: "check_suites",
    events: ["check_suite.completed"],
    route: "GET /repos/{owner}/{repo}/commits/HEAD/check-suites",
    shape: { item: checkSuite, key: "check_suites" },
    order: "recent",
    query: () => ({}),
    drafts: async (item, { repo }) => checkSuiteEvents(item as CheckSuite, repo),
  },
];
