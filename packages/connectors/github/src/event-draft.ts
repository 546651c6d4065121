import type { EventDraft, Provenance } from "@orgloop/sdk";
import type { GithubEvent } from "./config.ts";
import type { Issue, User } from "./github-objects.ts";

/** A draft whose identity and time are known. */
export type GithubDraft = EventDraft & { readonly identity: string; readonly timestamp: string };

export interface Happening {
  readonly event: GithubEvent;
  readonly repo: string;
  /** Of the issue or pull request it belongs to: deliveries about one keep their order. */
  readonly number: number | undefined;
  /** GitHub's id of the thing and its version: `issue_comment/7@2026-11-01T00:00:00Z`. */
  readonly identity: string;
  readonly at: string;
  readonly user: User | null | undefined;
  readonly resourceId: string;
  readonly url: string;
  /** Further keys of the provenance. */
  readonly about: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

/**
 * The envelope as OrgLoop 0.7.9's github connector fills it. Who is no bot is a `team_member`
 * there.
 */
export function githubDraft(happening: Happening): GithubDraft {
  const { repo, number, user } = happening;
  const isBot = user?.type === "Bot" || user?.login.endsWith("[bot]");
  const provenance: Provenance = {
    platform: "github",
    platform_event: happening.event,
    resource_id: happening.resourceId,
    author: user?.login ?? "unknown",
    author_type: isBot ? "bot" : "team_member",
    repo,
    url: happening.url,
    ...happening.about,
  };
  return {
    identity: happening.identity,
    timestamp: new Date(happening.at).toISOString(),
    type: "resource.changed",
    provenance,
    payload: happening.payload,
    ordering_key: number === undefined ? repo : `${repo}#${number}`,
  };
}

/** Labels as route filters see them: `payload.labels.0.name`. */
export function labelsOf({ labels }: Pick<Issue, "labels">): { name: string }[] {
  return labels
    .map((label) => ({ name: (typeof label === "string" ? label : label.name) ?? "" }))
    .filter(({ name }) => name !== "");
}

/** GitHub's word on the author, where it has one. */
export function associationOf({
  author_association,
}: {
  author_association?: string | null | undefined;
}) {
  return author_association ? { author_association } : {};
}
