import { type GithubClient, githubApi } from "@orgloop/connector-github/client";
import {
  type EventDraft,
  isMapping,
  OrgLoopError,
  type PluginContext,
  type Source,
} from "@orgloop/sdk";
import * as z from "zod";
import type { GithubHook } from "./config.ts";

/** One attempt of GitHub to deliver: redeliveries have the `guid` of the first. */
const attempt = z.object({
  id: z.unknown().transform(String),
  guid: z.string(),
  delivered_at: z.iso.datetime({ offset: true }),
  status_code: z.number(),
});
type Attempt = z.output<typeof attempt>;

const sent = z.object({
  request: z.object({
    headers: z.record(z.string(), z.unknown()),
    payload: z.unknown(),
  }),
});

/** How far the list was read. A list is read from its newest attempt down, page by page. */
const position = z.object({
  /** All attempts before this were looked at. */
  until: z.iso.datetime({ offset: true }),
  /** The list is being read: it began at `newest`, and goes on at the URL `next`. */
  scan: z.object({ newest: z.iso.datetime({ offset: true }), next: z.string() }).optional(),
});
type Position = z.output<typeof position>;

/** The first poll looks so far back; GitHub keeps attempts for some days. */
const FIRST_LOOKBACK_MS = 24 * 3_600_000;
/** An attempt is listed when it has ended: GitHub waits 10 s for an answer. */
const LATE_MS = 60_000;

/** A request as GitHub has sent it, or tried to. */
export interface MissedRequest {
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Record<string, unknown>;
}

type Context = Pick<PluginContext, "id" | "now" | "monotonic" | "fetch">;

/**
 * Polls the attempts of a hook of GitHub's, which does not send again what it could not deliver,
 * and takes the request of each that had no answer of 2xx. `draftOf` makes of it what would have
 * been made of the request itself, under the same id: what came after all is a repeat.
 *
 * @see https://docs.github.com/en/rest/repos/webhooks#list-deliveries-for-a-repository-webhook
 */
export function hookDeliveries(
  hook: GithubHook,
  { id, now, monotonic = now, fetch }: Context,
  draftOf: (request: MissedRequest) => EventDraft,
  retryDelayMs = 1_000,
): Required<Pick<Source, "poll">> {
  const { token, base_url: baseUrl } = hook;
  const api = githubApi({
    ...{ id, token, baseUrl, fetch, now, monotonic, retryDelayMs },
    rateBudget: RATE_BUDGET,
  });
  const route = `GET ${pathOf(hook)}/deliveries`;

  async function requestOf(client: GithubClient, { id }: Attempt): Promise<MissedRequest | null> {
    const found = await client.get(`${route}/{delivery_id}`, { delivery_id: id }, sent);
    if (found === undefined || !isMapping(found.request.payload)) return null;
    const { headers, payload } = found.request;
    const lowered = Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      `${value}`,
    ]);
    return { headers: Object.fromEntries(lowered), payload };
  }

  return {
    async *poll(checkpoint, { signal, deadlineMs }) {
      const client = api(signal);
      const settled = new Set<string>();
      let at = readPosition(checkpoint, now());
      for (;;) {
        const asked = at.scan === undefined ? route : `GET ${at.scan.next}`;
        const page = await client.page(asked, { per_page: 100 }, { item: attempt });
        const items = page?.items ?? [];
        const fromMs = Date.parse(at.until) - LATE_MS;
        const events = [];
        for (const one of missedOf(items, fromMs, settled)) {
          const request = await requestOf(client, one);
          if (request !== null) events.unshift(draftOf(request));
        }
        const newest = at.scan?.newest ?? items[0]?.delivered_at ?? at.until;
        const isRead =
          page?.next === undefined || items.some((one) => Date.parse(one.delivered_at) < fromMs);
        at = isRead
          ? { until: later(newest, at.until) }
          : { until: at.until, scan: { newest, next: page.next } };
        yield { events, checkpoint: JSON.stringify(at) };
        if (isRead || signal.aborted || now() >= deadlineMs) return;
      }
    },
  };
}

/** Of the limit that the token shares with others. */
const RATE_BUDGET = 0.8;

const pathOf = ({ repo, org, hook_id }: GithubHook): string =>
  repo === undefined ? `/orgs/${org}/hooks/${hook_id}` : `/repos/${repo}/hooks/${hook_id}`;

/** The newest attempt of each that nobody has answered well; `settled` learns of the rest. */
function missedOf(items: readonly Attempt[], fromMs: number, settled: Set<string>): Attempt[] {
  const isWell = ({ status_code: status }: Attempt) => status >= 200 && status < 300;
  for (const one of items.filter(isWell)) settled.add(one.guid);
  return items.filter((one) => {
    if (settled.has(one.guid) || Date.parse(one.delivered_at) < fromMs) return false;
    settled.add(one.guid);
    return true;
  });
}

/** A time that somebody wrote counts, too; one in the future is now. */
function readPosition(checkpoint: string | null, nowMs: number): Position {
  if (checkpoint === null) return { until: iso(nowMs - FIRST_LOOKBACK_MS) };
  const time = /^\d{4}-\d\d-\d\dT/.test(checkpoint) ? Date.parse(checkpoint) : Number.NaN;
  try {
    const found = Number.isNaN(time)
      ? position.parse(JSON.parse(checkpoint))
      : { until: iso(time) };
    return Date.parse(found.until) > nowMs + LATE_MS ? { until: iso(nowMs) } : found;
  } catch (cause) {
    throw new OrgLoopError(
      "INVALID_CHECKPOINT",
      "the checkpoint is none of github_hook's: remove it, and the last day is read again",
      { cause },
    );
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();

const later = (left: string, right: string): string =>
  Date.parse(left) > Date.parse(right) ? left : right;
