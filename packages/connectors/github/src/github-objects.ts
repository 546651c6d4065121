/** What we read of GitHub's objects (REST API, version 2022-11-28). */
export interface User {
  readonly login: string;
  readonly type?: string;
}

/** An issue, or a pull request as the list of issues shows it. */
export interface Issue {
  readonly id: number;
  readonly number: number;
  readonly title: string;
  readonly state: string;
  readonly user: User | null;
  readonly labels: readonly ({ readonly name?: string } | string)[];
  readonly created_at: string;
  readonly updated_at: string;
  readonly closed_at: string | null;
  readonly html_url: string;
  readonly author_association?: string;
  readonly pull_request?: { readonly merged_at?: string | null };
}

export interface PullRequest {
  readonly draft?: boolean;
  readonly merged_by?: User | null;
  readonly head: { readonly ref: string };
  readonly base: { readonly ref: string };
}

export interface Review {
  readonly id: number;
  readonly user: User | null;
  readonly state: string;
  readonly body: string | null;
  readonly html_url: string;
  /** Absent while it is pending. */
  readonly submitted_at?: string | null;
  readonly author_association?: string;
}

export interface IssueEvent {
  readonly id: number;
  readonly event: string;
  readonly actor: User | null;
  readonly created_at: string;
}

export interface Comment {
  readonly id: number;
  readonly user: User | null;
  readonly body: string | null;
  readonly updated_at: string;
  readonly html_url: string;
  readonly author_association?: string;
  readonly issue_url?: string;
  readonly pull_request_url?: string;
  readonly diff_hunk?: string;
  readonly path?: string;
}

export interface WorkflowRun {
  readonly id: number;
  readonly name: string | null;
  readonly run_number: number;
  readonly run_attempt?: number;
  readonly conclusion: string | null;
  readonly head_branch: string | null;
  readonly head_sha: string;
  readonly html_url: string;
  readonly updated_at: string;
  readonly actor?: User | null;
  readonly pull_requests?: readonly { readonly number: number }[] | null;
}

export interface CheckSuite {
  readonly id: number;
  readonly status: string | null;
  readonly conclusion: string | null;
  readonly head_branch: string | null;
  readonly head_sha: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly url: string;
  readonly updated_at: string;
  readonly app: { readonly slug?: string; readonly name?: string } | null;
  readonly pull_requests?: readonly { readonly number: number }[] | null;
}
