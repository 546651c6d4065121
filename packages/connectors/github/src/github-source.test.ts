import type { EventDraft, SourcePage } from "@orgloop/sdk";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GITHUB_EVENTS, githubSourceConfig } from "./config.ts";
import { githubSource } from "./github-source.ts";
import connector from "./index.ts";
import type { Recorded } from "./replay/collections.ts";
import { type ReplayServer, replayServer } from "./replay/replay-server.ts";

const HELLO = "Codertocat/Hello-World";
const FIXTURE = "octokit-fixture-org/paginate-issues";
const NOW = Date.parse("2026-11-01T00:00:00Z");

let server: ReplayServer;
beforeEach(async () => {
  server = await replayServer();
});
afterEach(() => server.close());

interface PollOptions {
  /** Stops after so many pages, as a host may. */
  readonly pages?: number;
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
}

/** A source on the replay server, and a host that keeps checkpoints. */
function polling(config: Record<string, unknown> = {}, perPage = 100) {
  const warnings: string[] = [];
  let nowMs = NOW;
  const source = githubSource(
    githubSourceConfig.parse({
      repo: HELLO,
      base_url: server.url,
      initial_lookback: "10000d",
      ...config,
    }),
    { id: `github-${server.url}`, now: () => nowMs, warn: (text) => warnings.push(text) },
    { perPage, retryDelayMs: 1 },
  );
  let checkpoint: string | null = null;
  const host = {
    warnings,
    checkpoint: () => checkpoint,
    setNow: (ms: number) => {
      nowMs = ms;
    },
    resume: (text: string | null) => {
      checkpoint = text;
    },
    async poll({ pages = Number.POSITIVE_INFINITY, ...options }: PollOptions = {}) {
      const events: EventDraft[] = [];
      if (pages === 0) return events;
      const { signal } = new AbortController();
      const defaults = { signal, deadlineMs: Number.POSITIVE_INFINITY };
      let taken = 0;
      for await (const page of source.poll?.(checkpoint, { ...defaults, ...options }) ??
        ([] as unknown as AsyncIterable<SourcePage>)) {
        events.push(...page.events);
        checkpoint = page.checkpoint;
        taken += 1;
        if (taken === pages) break;
      }
      return events;
    },
  };
  return host;
}

const namesOf = (events: readonly EventDraft[]) =>
  events.map(({ provenance }) => provenance.platform_event);
const idsOf = (events: readonly EventDraft[]) => events.map(({ identity }) => identity);
const unique = (items: readonly unknown[]) => new Set(items).size;

function issue(number: number, at: string, rest: object = {}): Recorded {
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

const minute = (n: number) =>
  new Date(NOW - 86_400_000 + n * 60_000).toISOString().replace(".000", "");

describe("recordings of GitHub", () => {
  it("become v1alpha1's events, every name once at least, oldest first in each list", async () => {
    const { poll } = polling();
    const events = await poll();
    // No recording holds a merged pull request or a failed run.
    const absent = new Set(["pull_request.merged", "workflow_run.completed"]);
    expect(new Set(namesOf(events))).toEqual(new Set<string>(GITHUB_EVENTS).difference(absent));
    expect(unique(idsOf(events))).toBe(events.length);
    for (const event of events) {
      expect(event.type).toBe("resource.changed");
      expect(event.provenance).toMatchObject({ platform: "github", repo: HELLO });
      expect(event.ordering_key).toMatch(/^Codertocat\/Hello-World(#\d+)?$/);
    }
  });

  it("keep the payload and provenance that OrgLoop 0.7.9 gave", async () => {
    const events = await polling({ events: ["pull_request.review_submitted"] }).poll();
    expect(events[0]).toMatchObject({
      identity: "review/237895671@2019-05-15T15:20:38Z",
      timestamp: "2019-05-15T15:20:38.000Z",
      ordering_key: "Codertocat/Hello-World#2",
      provenance: {
        platform_event: "pull_request.review_submitted",
        resource_id: "review-237895671",
        author: "Codertocat",
        author_type: "team_member",
        pr_author: "Codertocat",
        pr_number: 2,
        review_id: 237895671,
        review_state: "commented",
        url: "https://github.com/Codertocat/Hello-World/pull/2#pullrequestreview-237895671",
      },
      payload: {
        action: "review_submitted",
        review_id: 237895671,
        review_state: "commented",
        review_body: null,
        pr_title: expect.any(String),
        pr_number: 2,
        labels: expect.any(Array),
      },
    });
    const opened = await polling({ events: ["pull_request.opened"] }).poll();
    expect(opened[0]?.payload).toMatchObject({
      action: "opened",
      head_ref: "changes",
      draft: false,
    });
    const comments = await polling({ events: ["issue_comment"] }).poll();
    expect(comments[0]?.payload).toMatchObject({
      action: "issue_comment",
      issue_title: "Spelling error in the README file",
      is_pull_request: false,
    });
  });

  it("are followed over the recorded pages by their Link headers", async () => {
    const host = polling({ repo: FIXTURE, events: ["issues.opened"] });
    const events = await host.poll();
    expect(events.map(({ payload }) => payload.issue_number).toSorted()).toEqual(
      Array.from({ length: 13 }, (_, n) => n + 1).toSorted(),
    );
    expect(server.requests.map(({ path }) => path).slice(2)).toEqual(
      [2, 3, 4, 5].map((page) => `/repositories/1000/issues?per_page=3&page=${page}`),
    );
    expect(await host.poll()).toEqual([]);
  });

  it("cost nothing of the limit where nothing is new: every list answers 304", async () => {
    const host = polling();
    await host.poll();
    const before = host.checkpoint();
    server.requests.length = 0;
    expect(await host.poll()).toEqual([]);
    expect(server.requests.map(({ status }) => status)).toEqual([304, 304, 304, 304, 304]);
    expect(host.checkpoint()).toBe(before);
  });
});

describe("a poll that is cut", () => {
  it("at any page, any number of times, is resumed so that every event comes once", async () => {
    const repository = server.repository("acme/api");
    for (let n = 1; n <= 60; n += 1) {
      repository.issues.push(issue(n, minute(Math.floor(n / 7))));
      const issue_url = `https://api.github.com/repos/acme/api/issues/${1 + (n % 3)}`;
      const comment = { user: null, body: "b", html_url: `${issue_url}#c`, issue_url };
      repository.issueComments.push({ id: n, updated_at: minute(n), ...comment });
    }
    const config = { repo: "acme/api", events: ["issues.opened", "issue_comment"] };
    const whole = idsOf(await polling(config).poll()).toSorted();
    expect(whole).toHaveLength(120);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }),
        fc.integer({ min: 5, max: 30 }),
        async (cuts, perPage) => {
          const host = polling(config, perPage);
          const ids: unknown[] = [];
          for (const pages of cuts) ids.push(...idsOf(await host.poll({ pages })));
          ids.push(...idsOf(await host.poll()));
          expect(ids.toSorted()).toEqual(whole);
          expect(await host.poll()).toEqual([]);
        },
      ),
      { numRuns: 6 },
    );
  });

  it("by the deadline keeps what is complete and goes on behind it", async () => {
    const repository = server.repository("acme/api");
    for (let n = 1; n <= 50; n += 1) repository.issues.push(issue(n, minute(n)));
    const host = polling({ repo: "acme/api", events: ["issues.opened"] });
    server.intercept = () => {
      host.setNow(NOW + 1000);
      return undefined;
    };
    expect(await host.poll({ deadlineMs: NOW })).toEqual([]);
    host.setNow(NOW);
    expect(await host.poll({ deadlineMs: NOW + 500 })).toEqual([]);
    server.intercept = undefined;
    host.setNow(NOW);
    expect(await host.poll({ pages: 1 })).toHaveLength(20);
    expect(await host.poll()).toHaveLength(30);
  });

  it("by the signal ends in the middle of a request", async () => {
    const controller = new AbortController();
    const host = polling();
    server.intercept = () => {
      controller.abort(new Error("drained"));
      return undefined;
    };
    await expect(host.poll({ signal: controller.signal })).rejects.toThrow("drained");
  });
});

describe("between polls", () => {
  it("what changes comes once: closed, reopened and closed again, merged, edited", async () => {
    const repository = server.repository("acme/api");
    repository.issues.push(issue(1, minute(1)), issue(2, minute(1), { pull_request: {} }));
    repository.pulls.push({ ...issue(2, minute(1)), head: { ref: "x" }, base: { ref: "main" } });
    const host = polling({ repo: "acme/api" });
    expect(namesOf(await host.poll()).toSorted()).toEqual(["issues.opened", "pull_request.opened"]);

    const close = (at: string) => ({ state: "closed", updated_at: at, closed_at: at });
    repository.issues[0] = issue(1, minute(1), close(minute(5)));
    expect(idsOf(await host.poll())).toEqual([`issue/1001/closed@${minute(5)}`]);
    repository.issues[0] = issue(1, minute(1), { updated_at: minute(6) });
    expect(await host.poll()).toEqual([]);
    repository.issues[0] = issue(1, minute(1), close(minute(7)));
    expect(idsOf(await host.poll())).toEqual([`issue/1001/closed@${minute(7)}`]);

    const merged = { ...close(minute(8)), pull_request: { merged_at: minute(8) } };
    repository.issues[1] = issue(2, minute(1), merged);
    repository.pulls[0] = { ...(repository.pulls[0] as Recorded), merged_by: { login: "bob" } };
    const [event] = await host.poll();
    expect(event?.provenance.platform_event).toBe("pull_request.merged");
    expect(event?.payload).toMatchObject({ action: "merged", merged: true, merged_by: "bob" });

    const issue_url = "https://api.github.com/repos/acme/api/issues/2";
    const html_url = "https://github.com/acme/api/pull/2#c";
    const comment = { id: 9, user: { login: "ci[bot]" }, body: "a", html_url, issue_url };
    repository.issueComments.push({ ...comment, updated_at: minute(9) });
    const [said] = await host.poll();
    expect(said).toMatchObject({
      provenance: { author: "ci[bot]", author_type: "bot", pr_number: 2 },
      payload: { is_pull_request: true, issue_title: "Issue 2" },
    });
    repository.issueComments[0] = { ...comment, body: "edited", updated_at: minute(10) };
    expect(idsOf(await host.poll())).toEqual([`issue_comment/9@${minute(10)}`]);
    expect(await host.poll()).toEqual([]);
  });

  it("an item that moves to the end while pages are read pushes no other out of sight", async () => {
    const repository = server.repository("acme/api");
    for (let n = 1; n <= 12; n += 1) repository.issues.push(issue(n, minute(2 * n)));
    const host = polling({ repo: "acme/api", events: ["issues.opened"] }, 4);
    const ids: unknown[] = [];
    let moved = 0;
    server.intercept = () => {
      // Before each page, the oldest of what was shown already is updated.
      const first = repository.issues[moved];
      if (first && moved < 3 && server.requests.length > moved) {
        const updated_at = minute(100 + moved);
        repository.issues[moved] = { ...first, updated_at };
        moved += 1;
      }
      return undefined;
    };
    ids.push(...idsOf(await host.poll()));
    expect(moved).toBe(3);
    expect(ids).toHaveLength(12);
    expect(unique(ids)).toBe(12);
  });

  it("an item that becomes visible late, within the overlap, is not lost", async () => {
    const repository = server.repository("acme/api");
    repository.issues.push(issue(1, "2026-10-31T10:00:30Z"));
    const host = polling({ repo: "acme/api", events: ["issues.opened"] });
    expect(await host.poll()).toHaveLength(1);
    repository.issues.push(issue(2, "2026-10-31T10:00:10Z"), issue(3, "2026-10-31T10:00:30Z"));
    expect(idsOf(await host.poll())).toEqual([
      "issue/1002/opened@2026-10-31T10:00:10Z",
      "issue/1003/opened@2026-10-31T10:00:30Z",
    ]);
    expect(await host.poll()).toEqual([]);
  });

  it("runs that fail late or again are seen, those that succeed are not", async () => {
    const { workflowRuns } = server.repository("acme/api");
    const run = (id: number, created: number, updated: number, rest: object): Recorded => ({
      id,
      name: "ci",
      run_number: id,
      run_attempt: 1,
      created_at: minute(created),
      updated_at: minute(updated),
      actor: { login: "a" },
      pull_requests: [{ number: 5 }],
      html_url: "",
      conclusion: "failure",
      ...rest,
    });
    workflowRuns.push(run(1, 1, 2, {}), run(2, 3, 4, { conclusion: "success" }));
    const host = polling({ repo: "acme/api", events: ["workflow_run.completed"] });
    const [first] = await host.poll();
    expect(first).toMatchObject({ identity: "workflow_run/1@1", ordering_key: "acme/api#5" });
    workflowRuns.push(run(3, 0, 30, {}), run(1, 1, 40, { run_attempt: 2 }));
    workflowRuns.shift();
    expect(idsOf(await host.poll())).toEqual(["workflow_run/3@1", "workflow_run/1@2"]);
    expect(await host.poll()).toEqual([]);
  });
});

describe("limits and failures", () => {
  const limited = (
    headers: Record<string, string>,
    message = "API rate limit exceeded",
    status = 403,
  ) => {
    server.intercept = () => ({ status, headers, body: { message } });
  };
  const reset = (ms: number) => String(Math.floor((NOW + ms) / 1000));

  it("waits for the reset of the rate limit, not in the poll but by RetryAfterError", async () => {
    limited({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset(600_000) });
    await expect(polling().poll()).rejects.toMatchObject({
      code: "RETRY_AFTER",
      retryAfterMs: 601_000,
    });
    expect(server.requests).toHaveLength(1);
  });

  it("waits as long as a secondary limit says, a minute where it does not", async () => {
    limited({ "retry-after": "30" }, "You have exceeded a secondary rate limit");
    await expect(polling().poll()).rejects.toMatchObject({ retryAfterMs: 30_000 });
    limited({}, "You have exceeded a secondary rate limit");
    await expect(polling().poll()).rejects.toMatchObject({ retryAfterMs: 60_000 });
    limited({}, "slow down", 429);
    await expect(polling().poll()).rejects.toMatchObject({ retryAfterMs: 60_000 });
  });

  it("stops when rate_budget of the limit is used, and keeps the pages before", async () => {
    const repository = server.repository("acme/api");
    for (let n = 1; n <= 3; n += 1) repository.issues.push(issue(n, minute(n)));
    const host = polling({ repo: "acme/api", events: ["issues.opened"], rate_budget: 0.5 });
    server.intercept = (path) => ({
      status: 200,
      headers: { "x-ratelimit-remaining": "2500", "x-ratelimit-reset": reset(60_000) },
      body: path.includes("/issues?") ? repository.issues : [],
    });
    await expect(host.poll()).rejects.toMatchObject({ code: "RETRY_AFTER", retryAfterMs: 61_000 });
    expect(server.requests).toHaveLength(1);
    expect(host.checkpoint()).toContain("1003");
    host.setNow(NOW + 60_000);
    server.intercept = undefined;
    expect(await host.poll()).toEqual([]);
  });

  it("tries again what failed for a moment", async () => {
    let left = 2;
    server.intercept = () => {
      left -= 1;
      return left >= 0 ? { status: 502, body: { message: "bad gateway" } } : undefined;
    };
    expect(await polling({ events: ["issues.opened"] }).poll()).not.toHaveLength(0);
  });

  it("reads the other lists and repositories before it reports one that fails", async () => {
    const host = polling({ repo: "acme/gone", repos: [HELLO], events: ["issues.opened"] });
    const events: EventDraft[] = [];
    await expect(host.poll().then((all) => events.push(...all))).rejects.toMatchObject({
      code: "GITHUB_FAILED",
      message: expect.stringContaining("404"),
    });
    expect(host.checkpoint()).toContain("opened@");
  });

  it("says what to check where the token is refused, and never shows it", async () => {
    server.intercept = () => ({ status: 401, body: { message: "Bad credentials" } });
    const token = "ghp_secretsecret";
    const error = await polling({ token, events: ["issues.opened"] })
      .poll()
      .catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      code: "GITHUB_FAILED",
      message: expect.stringContaining("token"),
    });
    expect((error as Error).message).not.toContain(token);
  });

  it("does not carry the token to another origin", async () => {
    const link = '<http://127.0.0.1:1/elsewhere>; rel="next"';
    server.intercept = () => ({ status: 200, headers: { link }, body: [] });
    await expect(polling({ events: ["issues.opened"] }).poll()).rejects.toThrow("base_url");
  });
});

describe("configuration and checkpoint", () => {
  it("looks back initial_lookback at first, and takes the time that OrgLoop 0.7.9 kept", async () => {
    const repository = server.repository("acme/api");
    repository.issues.push(issue(1, "2026-10-20T00:00:00Z"), issue(2, "2026-10-30T00:00:00Z"));
    const config = { repo: "acme/api", events: ["issues.opened"], initial_lookback: "7d" };
    expect(await polling(config).poll()).toHaveLength(1);
    const older = polling(config);
    older.resume("2026-10-19T00:00:00.000Z");
    expect(await older.poll()).toHaveLength(2);
    older.resume("nonsense");
    await expect(older.poll()).rejects.toMatchObject({ code: "INVALID_CHECKPOINT" });
  });

  it("keeps only the configured authors, and does not ask for them again", async () => {
    const repository = server.repository("acme/api");
    repository.issues.push(issue(1, minute(1)), issue(2, minute(2), { user: { login: "eve" } }));
    const host = polling({ repo: "acme/api", events: ["issues.opened"], authors: ["eve"] });
    expect(idsOf(await host.poll())).toEqual([`issue/1002/opened@${minute(2)}`]);
    expect(await host.poll()).toEqual([]);
  });

  it("reads only the lists that are wanted, and warns of names that it does not know", async () => {
    const host = polling({ events: ["check_suite.completed", "pull_request.labeled"] });
    await host.poll();
    expect(server.requests.every(({ path }) => path.includes("/check-suites"))).toBe(true);
    expect(host.warnings).toEqual([expect.stringContaining("pull_request.labeled")]);
  });

  it("needs a repository", () => {
    expect(githubSourceConfig.safeParse({}).success).toBe(false);
    expect(githubSourceConfig.safeParse({ repo: "no-slash" }).success).toBe(false);
    expect(githubSourceConfig.safeParse({ repos: ["a/b", "a/c"] }).success).toBe(true);
    expect(connector.id).toBe("github");
  });
});
