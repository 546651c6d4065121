import { plainValue } from "@orgloop/sdk";
import * as z from "zod";

// What we read of GitHub's objects (REST API, version 2022-11-28); what else they hold is theirs.

/** A number, however large: it is kept as it was written. */
const id = z.custom<number>((value) => Number.isInteger(plainValue(value)), "expected a number");
const time = z
  .string("expected a time")
  .refine((value) => !Number.isNaN(Date.parse(value)), "expected a time");
const text = z.string();

const user = z.looseObject({ login: text, type: text.optional() });
export type User = z.output<typeof user>;

const pullNumbers = z.array(z.looseObject({ number: z.int() })).nullish();

/** What every list is read by. */
export const item = z.looseObject({ id, updated_at: time });
export type Item = z.output<typeof item>;

/** An issue, or a pull request as the list of issues shows it. */
export const issue = item.extend({
  number: z.int(),
  title: text,
  state: text,
  user: user.nullish(),
  labels: z.array(z.union([text, z.looseObject({ name: text.nullish() })])),
  created_at: time,
  closed_at: time.nullish(),
  html_url: text,
  author_association: text.nullish(),
  pull_request: z.looseObject({ merged_at: time.nullish() }).optional(),
});
export type Issue = z.output<typeof issue>;

export const pullRequest = z.looseObject({
  draft: z.boolean().optional(),
  merged_by: user.nullish(),
  head: z.looseObject({ ref: text }),
  base: z.looseObject({ ref: text }),
});
export type PullRequest = z.output<typeof pullRequest>;

export const review = z.looseObject({
  id,
  user: user.nullish(),
  state: text,
  body: text.nullish(),
  html_url: text,
  /** Absent while it is pending. */
  submitted_at: time.nullish(),
  author_association: text.nullish(),
});
export type Review = z.output<typeof review>;

export const issueEvent = z.looseObject({ id, event: text, created_at: time });

export const comment = item.extend({
  user: user.nullish(),
  body: text.nullish(),
  html_url: text,
  author_association: text.nullish(),
  issue_url: text.optional(),
  pull_request_url: text.optional(),
  diff_hunk: text.optional(),
  path: text.optional(),
});
export type Comment = z.output<typeof comment>;

export const workflowRun = item.extend({
  name: text.nullish(),
  run_number: z.int(),
  run_attempt: z.int().optional(),
  conclusion: text.nullish(),
  head_branch: text.nullish(),
  head_sha: text.nullish(),
  html_url: text,
  actor: user.nullish(),
  pull_requests: pullNumbers,
});
export type WorkflowRun = z.output<typeof workflowRun>;

export const checkSuite = item.extend({
  status: text.nullish(),
  conclusion: text.nullish(),
  head_branch: text.nullish(),
  head_sha: text.nullish(),
  before: text.nullish(),
  after: text.nullish(),
  url: text,
  app: z.looseObject({ slug: text.nullish(), name: text.nullish() }).nullish(),
  pull_requests: pullNumbers,
});
export type CheckSuite = z.output<typeof checkSuite>;
