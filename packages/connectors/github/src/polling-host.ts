import type { EventDraft, SourcePage } from "@orgloop/sdk";
import { githubSourceConfig } from "./config.ts";
import { githubSource } from "./github-source.ts";
import type { Recorded } from "./replay/collections.ts";
import type { ReplayServer } from "./replay/replay-server.ts";

export const HELLO = "Codertocat/Hello-World";
export const NOW = Date.parse("2026-11-01T00:00:00Z");

interface PollOptions {
  /** Identities of what came, also where the poll fails afterwards. */
  readonly ids?: unknown[];
  /** Stops after so many pages, as a host may. */
  readonly pages?: number;
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
}

/** A source on the replay server, and a host that keeps checkpoints. */
export function pollingHost(
  server: ReplayServer,
  config: Record<string, unknown> = {},
  perPage = 100,
) {
  const warnings: string[] = [];
  let nowMs = NOW;
  let ownMs = NOW;
  const source = githubSource(
    githubSourceConfig.parse({
      repo: HELLO,
      base_url: server.url,
      initial_lookback: "10000d",
      ...config,
    }),
    {
      id: `github-${server.url}`,
      now: () => nowMs,
      monotonic: () => ownMs,
      warn: (text) => warnings.push(text),
      fetch,
    },
    { perPage, retryDelayMs: 1 },
  );
  let checkpoint: string | null = null;
  const host = {
    warnings,
    illLists: () => source.illLists?.(checkpoint),
    checkpoint: () => checkpoint,
    setNow: (ms: number) => {
      nowMs = ms;
      ownMs = ms;
    },
    /** The machine's clock alone is set. */
    stepClock: (ms: number) => {
      nowMs += ms;
    },
    resume: (text: string | null) => {
      checkpoint = text;
    },
    async poll({ pages = Number.POSITIVE_INFINITY, ids, ...options }: PollOptions = {}) {
      const events: EventDraft[] = [];
      if (pages === 0) return events;
      const { signal } = new AbortController();
      const defaults = { signal, deadlineMs: Number.POSITIVE_INFINITY };
      let taken = 0;
      for await (const page of source.poll?.(checkpoint, { ...defaults, ...options }) ??
        ([] as unknown as AsyncIterable<SourcePage>)) {
        events.push(...page.events);
        ids?.push(...idsOf(page.events));
        checkpoint = page.checkpoint;
        taken += 1;
        if (taken === pages) break;
      }
      return events;
    },
  };
  return host;
}

export const namesOf = (events: readonly EventDraft[]) =>
  events.map(({ provenance }) => provenance.platform_event);
export const idsOf = (events: readonly EventDraft[]) => events.map(({ identity }) => identity);
export const unique = (items: readonly unknown[]) => new Set(items).size;

export function issue(number: number, at: string, rest: object = {}): Recorded {
  return {
    id: 1000 + number,
    number,
    title: `Issue ${number}`,
    state: "open",
    user: { login: "octocat", type: "User" },
    labels: [{ name: "bug" }],
    created_at: at,
    updated_at: at,
    closed_at: null,
    html_url: `https://github.com/acme/api/issues/${number}`,
    ...rest,
  };
}

export const minute = (n: number) =>
  new Date(NOW - 86_400_000 + n * 60_000).toISOString().replace(".000", "");
