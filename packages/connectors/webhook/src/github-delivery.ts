import { valueAtPath } from "@orgloop/sdk";

/** What a delivery of GitHub says of itself beyond its payload. */
export interface GithubDelivery {
  readonly provenance: {
    readonly platform_event: string;
    readonly author?: string;
    readonly author_type?: "bot" | "team_member";
    readonly author_association?: string;
    readonly repo?: string;
  };
  /** `owner/repo#number`, or `owner/repo` where no issue or pull request is concerned. */
  readonly orderingKey: string | undefined;
}

const NUMBER_PATHS = [
  "number",
  "pull_request.number",
  "issue.number",
  "discussion.number",
  "alert.number",
  "check_run.pull_requests.0.number",
  "check_suite.pull_requests.0.number",
  "workflow_run.pull_requests.0.number",
];

/**
 * Reads a GitHub delivery: `platform_event` is the event and its action (`pull_request.opened`,
 * `push`), the author its sender. As in v1alpha1 every sender that is no bot is a `team_member`;
 * `author_association` says what GitHub thinks of them.
 */
export function githubDelivery(event: string, payload: Record<string, unknown>): GithubDelivery {
  const text = (path: string) => {
    const value = valueAtPath(payload, path);
    return typeof value === "string" ? value : undefined;
  };
  const action = text("action");
  const author = text("sender.login");
  const repo = text("repository.full_name");
  const isBot = text("sender.type") === "Bot" || author?.endsWith("[bot]");
  const association =
    text("comment.author_association") ??
    text("review.author_association") ??
    text("pull_request.author_association") ??
    text("issue.author_association");
  const number = NUMBER_PATHS.map((path) => valueAtPath(payload, path)).find(Number.isInteger);
  return {
    provenance: {
      platform_event: action === undefined ? event : `${event}.${action}`,
      ...(author !== undefined && { author, author_type: isBot ? "bot" : "team_member" }),
      ...(association !== undefined && { author_association: association }),
      ...(repo !== undefined && { repo }),
    },
    orderingKey: repo === undefined || number === undefined ? repo : `${repo}#${number}`,
  };
}
