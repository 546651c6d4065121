import { type GithubDraft, githubDraft } from "./event-draft.ts";
import type { CheckSuite, WorkflowRun } from "./github-objects.ts";

/** A failed workflow run; each attempt is one event. */
export function workflowRunEvents(run: WorkflowRun, repo: string): GithubDraft[] {
  return [
    githubDraft({
      event: "workflow_run.completed",
      repo,
      number: run.pull_requests?.[0]?.number,
      identity: `workflow_run/${run.id}@${run.run_attempt ?? run.updated_at}`,
      at: run.updated_at,
      user: run.actor,
      resourceId: `run-${run.id}`,
      url: run.html_url,
      about: {},
      payload: {
        action: "workflow_run_failed",
        workflow_name: run.name,
        run_number: run.run_number,
        conclusion: run.conclusion,
        head_branch: run.head_branch,
        head_sha: run.head_sha,
      },
    }),
  ];
}

/** A completed check suite of the default branch. */
export function checkSuiteEvents(suite: CheckSuite, repo: string): GithubDraft[] {
  if (suite.status !== "completed") return [];
  return [
    githubDraft({
      event: "check_suite.completed",
      repo,
      number: suite.pull_requests?.[0]?.number,
      identity: `check_suite/${suite.id}@${suite.updated_at}`,
      at: suite.updated_at,
      user: { login: suite.app?.slug ?? "unknown", type: "Bot" },
      resourceId: `suite-${suite.id}`,
      url: suite.url,
      about: {},
      payload: {
        action: "check_suite_completed",
        conclusion: suite.conclusion,
        status: suite.status,
        app_name: suite.app?.name ?? suite.app?.slug,
        head_branch: suite.head_branch,
        head_sha: suite.head_sha,
        before: suite.before,
        after: suite.after,
      },
    }),
  ];
}
