import type { GithubEvent } from "./config.ts";
import { associationOf, type GithubDraft, githubDraft, labelsOf } from "./event-draft.ts";
import {
  type Issue,
  issueEvent,
  type PullRequest,
  pullRequest,
  type Review,
  review,
} from "./github-objects.ts";
import type { StreamContext } from "./stream.ts";

/** What happened to an issue or a pull request, as far as its present state and its lists tell. */
export async function issueEvents(
  issue: Issue,
  { repo, wants, since, client, parameters }: StreamContext,
): Promise<GithubDraft[]> {
  const numbered = { ...parameters, number: issue.number };
  if (issue.pull_request === undefined) return plainIssueEvents(issue, repo, wants);
  const drafts: GithubDraft[] = [];
  const changes = pullRequestChanges(issue, wants).filter(({ at }) => since(at));
  if (wants("pull_request.ready_for_review")) {
    const events = await client.all(
      "GET /repos/{owner}/{repo}/issues/{number}/events",
      numbered,
      issueEvent,
    );
    for (const event of events) {
      if (event.event !== "ready_for_review" || !since(event.created_at)) continue;
      const identity = `issue_event/${event.id}@${event.created_at}`;
      changes.push({
        event: "pull_request.ready_for_review",
        at: event.created_at,
        identity,
        resource: "ready",
      });
    }
  }
  if (changes.length > 0) {
    const pull = await client.get(
      "GET /repos/{owner}/{repo}/pulls/{number}",
      numbered,
      pullRequest,
    );
    for (const change of changes) {
      drafts.push(pullRequestDraft(issue, pull, repo, change));
    }
  }
  if (wants("pull_request.review_submitted")) {
    const reviews = await client.all(
      "GET /repos/{owner}/{repo}/pulls/{number}/reviews",
      numbered,
      review,
    );
    for (const one of reviews) {
      if (one.submitted_at) drafts.push(reviewDraft(one, one.submitted_at, issue, repo));
    }
  }
  return drafts;
}

function plainIssueEvents(
  issue: Issue,
  repo: string,
  wants: StreamContext["wants"],
): GithubDraft[] {
  const draft = (event: GithubEvent, action: string, at: string) =>
    githubDraft({
      event,
      repo,
      number: issue.number,
      identity: `issue/${issue.id}/${action}@${at}`,
      at,
      user: issue.user,
      resourceId: `issue-${issue.number}-${action}`,
      url: issue.html_url,
      about: { issue_number: issue.number, ...associationOf(issue) },
      payload: {
        action,
        issue_title: issue.title,
        issue_number: issue.number,
        labels: labelsOf(issue),
      },
    });
  return [
    ...(wants("issues.opened") ? [draft("issues.opened", "opened", issue.created_at)] : []),
    ...(wants("issues.closed") && issue.closed_at
      ? [draft("issues.closed", "closed", issue.closed_at)]
      : []),
  ];
}

interface Change {
  readonly event: GithubEvent;
  readonly at: string;
  readonly identity: string;
  /** The end of `provenance.resource_id`. */
  readonly resource: string;
}

function pullRequestChanges(issue: Issue, wants: StreamContext["wants"]): Change[] {
  const merged = Boolean(issue.pull_request?.merged_at);
  const changes: Change[] = [];
  if (wants("pull_request.opened")) {
    const identity = `pull_request/${issue.id}/opened@${issue.created_at}`;
    changes.push({
      event: "pull_request.opened",
      at: issue.created_at,
      identity,
      resource: "opened",
    });
  }
  // v1alpha1: either name switches both on; a route's filter tells them apart.
  const ended = wants("pull_request.closed") || wants("pull_request.merged");
  if (ended && issue.closed_at) {
    changes.push({
      event: merged ? "pull_request.merged" : "pull_request.closed",
      at: issue.closed_at,
      identity: `pull_request/${issue.id}/closed@${issue.closed_at}`,
      resource: merged ? "merged" : "closed",
    });
  }
  return changes;
}

function pullRequestDraft(
  issue: Issue,
  pull: PullRequest | undefined,
  repo: string,
  { event, at, identity, resource }: Change,
): GithubDraft {
  const merged = event === "pull_request.merged";
  const refs = { head_ref: pull?.head.ref, base_ref: pull?.base.ref };
  const details = {
    opened: { draft: pull?.draft ?? false, ...refs },
    ready: refs,
    closed: { merged },
    merged: { merged, merged_by: pull?.merged_by?.login },
  }[resource];
  return githubDraft({
    event,
    repo,
    number: issue.number,
    identity,
    at,
    user: issue.user,
    resourceId: `pr-${issue.number}-${resource}`,
    url: issue.html_url,
    about: aboutPull(issue),
    payload: {
      action: event.slice("pull_request.".length),
      pr_title: issue.title,
      pr_number: issue.number,
      ...details,
      labels: labelsOf(issue),
    },
  });
}

function reviewDraft(review: Review, at: string, issue: Issue, repo: string): GithubDraft {
  return githubDraft({
    event: "pull_request.review_submitted",
    repo,
    number: issue.number,
    identity: `review/${review.id}@${at}`,
    at,
    user: review.user,
    resourceId: `review-${review.id}`,
    url: review.html_url,
    about: {
      ...aboutPull(issue),
      ...associationOf(review),
      review_id: review.id,
      // Lists say COMMENTED where webhooks and v1alpha1's documentation say commented.
      review_state: review.state.toLowerCase(),
    },
    payload: {
      action: "review_submitted",
      review_id: review.id,
      review_state: review.state.toLowerCase(),
      review_body: review.body,
      pr_title: issue.title,
      pr_number: issue.number,
      labels: labelsOf(issue),
    },
  });
}

function aboutPull(issue: Issue) {
  return {
    pr_author: issue.user?.login ?? "unknown",
    pr_number: issue.number,
    ...associationOf(issue),
  };
}
