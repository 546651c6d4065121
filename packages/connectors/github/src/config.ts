// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
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
    repo: repo
      .optional()
      .meta({ description: "The repository, as `owner/name`.", examples: ["acme/web"] }),
    repos: z
      .array(repo)
      .min(1)
      .optional()
      .meta({
        description: "Several repositories instead, polled in this order.",
        examples: [["acme/web", "acme/api"]],
      }),
    token: z
      .string()
      .min(1)
      .meta({ secret: true })
      .optional()
      .meta({
        description:
          "A personal or app token that may read them. Without one GitHub allows 60 requests an hour.",
        examples: ["${GITHUB_TOKEN}"],
      }),
    events: z
      .array(z.string())
      .min(1)
      .default([...GITHUB_EVENTS])
      .meta({
        description: `Any of ${GITHUB_EVENTS.join(", ")}. \`workflow_run.completed\` is of failed runs.`,
        examples: [["pull_request.opened", "issue_comment"]],
      }),
    authors: z
      .array(z.string())
      .default([])
      .meta({
        description: "Only what these logins did; an empty list is everybody.",
        examples: [["octocat"]],
      }),
    initial_lookback: z
      .string()
      .regex(DURATION_PATTERN)
      .default("7d")
      .meta({ description: "How far the first poll looks back.", examples: ["1d"] }),
    rate_budget: z
      .number()
      .gt(0)
      .max(1)
      .default(0.8)
      .meta({
        description:
          "The part of GitHub's rate limit that polling may use up; then it waits for the reset.",
        examples: [0.5],
      }),
    base_url: z
      .url({ protocol: /^https?$/ })
      .default("https://api.github.com")
      .meta({
        description: "GitHub's API. GitHub Enterprise: `https://HOST/api/v3`.",
        examples: ["https://github.acme.example/api/v3"],
      }),
  })
  .refine((config) => (config.repo ?? config.repos) !== undefined, {
    path: ["repo"],
    message: "expected `repo: owner/name` or a list `repos`",
  })
  .meta({
    title: "GitHub source",
    description: "Polls repositories for issues, pull requests, comments and failed checks.",
    examples: [{ repo: "acme/web", token: "${GITHUB_TOKEN}", events: ["pull_request.opened"] }],
  });
export type GithubSourceConfig = z.output<typeof githubSourceConfig>;
