import { associationOf, type GithubDraft, githubDraft, labelsOf } from "./event-draft.ts";
import type { Comment, Issue } from "./github-objects.ts";
import type { StreamContext } from "./stream.ts";

/** A comment on an issue or a pull request; an edited one is a new version, and a new event. */
export async function issueCommentEvents(
  comment: Comment,
  context: StreamContext,
): Promise<GithubDraft[]> {
  const { number, issue } = await issueOf(comment.issue_url, context);
  return [
    githubDraft({
      event: "issue_comment",
      repo: context.repo,
      number,
      identity: `issue_comment/${comment.id}@${comment.updated_at}`,
      at: comment.updated_at,
      user: comment.user,
      resourceId: `issue-comment-${comment.id}`,
      url: comment.html_url,
      about: about(comment, number, issue),
      payload: {
        action: "issue_comment",
        comment_body: comment.body,
        issue_title: issue?.title ?? "",
        issue_number: number,
        is_pull_request: comment.html_url.includes("/pull/"),
      },
    }),
  ];
}

/** A comment on a line of a pull request. */
export async function reviewCommentEvents(
  comment: Comment,
  context: StreamContext,
): Promise<GithubDraft[]> {
  const { number, issue } = await issueOf(comment.pull_request_url, context);
  return [
    githubDraft({
      event: "pull_request_review_comment",
      repo: context.repo,
      number,
      identity: `review_comment/${comment.id}@${comment.updated_at}`,
      at: comment.updated_at,
      user: comment.user,
      resourceId: `comment-${comment.id}`,
      url: comment.html_url,
      about: about(comment, number, issue),
      payload: {
        action: "review_comment",
        comment_body: comment.body,
        pr_title: issue?.title ?? "",
        pr_number: number,
        diff_hunk: comment.diff_hunk,
        path: comment.path,
        labels: issue === undefined ? [] : labelsOf(issue),
      },
    }),
  ];
}

function about(comment: Comment, number: number | undefined, issue: Issue | undefined) {
  return {
    pr_author: issue?.user?.login ?? "unknown",
    pr_number: number,
    ...associationOf(comment),
  };
}

/**
 * The issue that a URL ends in; a comment holds no more of it. Undefined where it was deleted
 * since.
 */
async function issueOf(url: string | undefined, { issue }: StreamContext) {
  const number = Number(url?.slice(url.lastIndexOf("/") + 1));
  if (!Number.isInteger(number)) return { number: undefined, issue: undefined };
  return { number, issue: await issue(number) };
}
