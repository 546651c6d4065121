import { DURATION_PATTERN } from "@orgloop/sdk";
import * as z from "zod";

/** What can be polled: v1alpha1's names, and issues. */
export const GITHUB_EVENTS = [
  "issues.opened",
  "issues.closed",
  "issue_comment",
  "pull_request.opened",
  "pull_request.ready_for_review",
  "pull_request.closed",
  "pull_request.merged",
  "pull_request.review_submitted",
  "pull_request_review_comment",
  "workflow_run.completed",
  "check_suite.completed",
] as const;
export type GithubEvent = (typeof GITHUB_EVENTS)[number];

const repo = z.string().regex(/^[\w.-]+\/[\w.-]+$/, "expected owner/name");

/** `config` of a github source (v1alpha1, section 7). */
export const githubSourceConfig = z
  .strictObject({
    repo: repo.optional().describe("`owner/name`."),
    repos: z.array(repo).min(1).optional().describe("Several repositories, polled in this order."),
    token: z
      .string()
      .min(1)
      .meta({ secret: true })
      .optional()
      .describe(
        "A personal or app token that may read them. Without one GitHub allows 60 requests an hour.",
      ),
    events: z
      .array(z.string())
      .min(1)
      .default([...GITHUB_EVENTS])
      .describe(
        `Any of ${GITHUB_EVENTS.join(", ")}. Default: all. \`workflow_run.completed\` is of failed runs.`,
      ),
    authors: z
      .array(z.string())
      .default([])
      .describe("Only what these logins did. Default: everybody."),
    initial_lookback: z
      .string()
      .regex(DURATION_PATTERN)
      .default("7d")
      .describe("How far the first poll looks back."),
    rate_budget: z
      .number()
      .gt(0)
      .max(1)
      .default(0.8)
      .describe(
        "The part of GitHub's rate limit that polling may use up; then it waits for the reset.",
      ),
    base_url: z
      .url({ protocol: /^https?$/ })
      .default("https://api.github.com")
      .describe("GitHub Enterprise: `https://HOST/api/v3`."),
  })
  .refine((config) => (config.repo ?? config.repos) !== undefined, {
    path: ["repo"],
    message: "expected `repo: owner/name` or a list `repos`",
  });
export type GithubSourceConfig = z.output<typeof githubSourceConfig>;
