import type * as z from "zod";
import type { GithubEvent } from "./config.ts";
import type { GithubDraft } from "./event-draft.ts";
import type { GithubClient, ListShape } from "./github-client.ts";
import type { Issue, Item } from "./github-objects.ts";

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

/** One list of a repository, read with a cursor of its own. */
export interface Stream {
  readonly name: string;
  readonly events: readonly GithubEvent[];
  readonly route: string;
  /** Of what it is a list. */
  readonly shape: ListShape<z.ZodType<Item>>;
  /**
   * `ascending`: by `updated_at` and from a time on. `recent`: newest first, so that it must be
   * read whole.
   */
  readonly order: "ascending" | "recent";
  /** Query parameters beside `since`; `from` is where the list is to be read from. */
  readonly query: (from: string) => Readonly<Record<string, string>>;
  readonly drafts: (item: Item, context: StreamContext) => Promise<GithubDraft[]>;
}
