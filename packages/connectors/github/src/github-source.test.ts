import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GITHUB_EVENTS, githubSourceConfig } from "./config.ts";
import connector from "./index.ts";
import { HELLO, idsOf, issue, minute, NOW, namesOf, pollingHost, unique } from "./polling-host.ts";
import { type ReplayServer, replayServer } from "./replay/replay-server.ts";

const FIXTURE = "octokit-fixture-org/paginate-issues";

let server: ReplayServer;
beforeEach(async () => {
  server = await replayServer();
});
afterEach(() => server.close());

const polling = (config?: Record<string, unknown>, perPage?: number) =>
  pollingHost(server, config, perPage);

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

  it.each([403, 200])(
    "reckons the reset by GitHub's clock where ours is wrong (answer %d)",
    async (status) => {
      const date = new Date(NOW + 7_200_000).toUTCString();
      const headers = { date, "x-ratelimit-reset": reset(7_260_000), "x-ratelimit-remaining": "0" };
      server.intercept = () => ({ status, headers, body: [] });
      const host = polling({ repo: "acme/api", events: ["issues.opened"] });
      if (status === 200) await host.poll();
      await expect(host.poll()).rejects.toMatchObject({ retryAfterMs: 61_000 });
    },
  );

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

  it("reads on at once where the clock was an hour ahead when it began", async () => {
    const repository = server.repository("acme/api");
    const host = polling({ repo: "acme/api", events: ["issues.opened"], initial_lookback: "10m" });
    host.stepClock(3_600_000);
    expect(await host.poll()).toEqual([]);
    host.stepClock(-3_600_000);
    const at = new Date(NOW - 60_000).toISOString().replace(".000", "");
    repository.issues.push(issue(1, at));
    expect(await host.poll()).toHaveLength(1);
    expect(await host.poll()).toEqual([]);
  });

  it("waits no longer for the reset where the clock is set back meanwhile", async () => {
    const host = polling({ events: ["issues.opened"], rate_budget: 0.5 });
    server.intercept = () => ({
      status: 200,
      headers: {
        "x-ratelimit-limit": "5000",
        "x-ratelimit-remaining": "2500",
        "x-ratelimit-reset": reset(60_000),
      },
      body: [],
    });
    await host.poll();
    host.stepClock(-1_800_000);
    await expect(host.poll()).rejects.toMatchObject({ retryAfterMs: 61_000 });
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
    await expect(host.poll()).rejects.toMatchObject({
      code: "GITHUB_FAILED",
      message: expect.stringContaining("404"),
    });
    expect(host.checkpoint()).toContain("opened@");
  });

  const cut = JSON.stringify([issue(3, minute(3))]).slice(0, -9);
  const html = "<!DOCTYPE html><html><body>Sign in to the proxy</body></html>";
  it.each([
    ["a page of HTML", { raw: html, headers: { "content-type": "text/html" } }, /"<!DOCTYPE html>/],
    ["HTML that says it is JSON", { raw: html }, /"<!DOCTYPE html>/],
    ["an object", { body: { message: "Moved" } }, /an object with message/],
    ["null", { body: null }, /"null"/],
    ["nothing", { raw: "" }, /found nothing/],
    ["a page that was cut", { raw: cut }, /expected a list, found "\[\{"id":1003/],
    ["an item that is none", { body: [null] }, /\[0\]/],
    [
      "an item without its time",
      { body: [{ ...issue(3, minute(3)), updated_at: null }] },
      /updated_at: expected a time/,
    ],
  ] as const)(
    "%s is no empty list: the cursor stays, nothing is lost",
    async (_, answer, found) => {
      const repository = server.repository("acme/api");
      repository.issues.push(issue(1, minute(1)));
      const host = polling({ repo: "acme/api", events: ["issues.opened"] });
      expect(await host.poll()).toHaveLength(1);
      const before = JSON.parse(host.checkpoint() ?? "").streams["acme/api"].issues;
      repository.issues.push(issue(2, minute(2)));
      server.intercept = () => ({ status: 200, ...answer });
      await expect(host.poll()).rejects.toMatchObject({
        code: "GITHUB_FAILED",
        message: expect.stringMatching(found),
      });
      const after = JSON.parse(host.checkpoint() ?? "").streams["acme/api"].issues;
      expect(after).toMatchObject({ since: before.since, from: before.from, etag: before.etag });
      expect(host.illLists()).toMatchObject([{ list: "acme/api issues", failures: 1 }]);
      server.intercept = undefined;
      expect(idsOf(await host.poll())).toEqual([`issue/1002/opened@${minute(2)}`]);
      expect(host.illLists()).toEqual([]);
    },
  );

  it.each(["/reviews", "/events", "/pulls/2"])(
    "%s of a pull request is looked at, too",
    async (end) => {
      const repository = server.repository("acme/api");
      repository.issues.push(issue(2, minute(1), { pull_request: {} }));
      repository.pulls.push({ ...issue(2, minute(1)), head: { ref: "x" }, base: { ref: "main" } });
      const host = polling({ repo: "acme/api" });
      const well = polling({ repo: "acme/api" });
      server.intercept = (path) =>
        path.split("?")[0]?.endsWith(end) ? { status: 200, raw: html } : undefined;
      await expect(host.poll()).rejects.toThrow(/acme\/api issues: .*DOCTYPE/);
      server.intercept = undefined;
      expect(idsOf(await host.poll())).toEqual(idsOf(await well.poll()));
    },
  );

  it.each([404, 409, 410])(
    "a list that a repository has not got (%i) keeps to itself, and rests",
    async (status) => {
      const repository = server.repository("acme/api");
      const host = polling({
        repo: "acme/api",
        events: ["issues.opened", "workflow_run.completed"],
      });
      server.intercept = (path) =>
        path.includes("/actions/runs") ? { status, body: { message: "no" } } : undefined;
      const asked = () =>
        server.requests.filter(({ path }) => path.includes("/actions/runs")).length;
      const outcomes: boolean[] = [];
      for (let n = 1; n <= 9; n += 1) {
        repository.issues.push(issue(n, minute(n)));
        const ids: unknown[] = [];
        const error = await host.poll({ ids }).then(
          () => null,
          (thrown) => thrown,
        );
        expect(ids).toEqual([`issue/${1000 + n}/opened@${minute(n)}`]);
        if (error !== null) expect(error).toMatchObject({ code: "GITHUB_FAILED", partial: true });
        outcomes.push(error === null);
      }
      // After 1, 3 and 7 polls of rest.
      expect(outcomes).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => ![1, 3, 7].includes(n)));
      expect(asked()).toBe(3);
      expect(host.illLists()).toMatchObject([
        {
          list: "acme/api workflow_runs",
          failures: 3,
          error: expect.stringContaining(String(status)),
        },
      ]);
      server.intercept = undefined;
      for (let n = 0; n < 8; n += 1) await host.poll();
      expect(host.illLists()).toEqual([]);
    },
  );

  it("where every list fails, the source does", async () => {
    server.intercept = () => ({ status: 404, body: { message: "Not Found" } });
    const host = polling();
    for (let n = 0; n < 3; n += 1) {
      const error = await host.poll().catch((thrown) => thrown);
      expect(error).toMatchObject({ code: "GITHUB_FAILED" });
      expect(error.partial).toBeUndefined();
    }
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

  it("sends the token, and nothing where there is none", async () => {
    const events = ["check_suite.completed"];
    await polling({ events, token: "ghp_token" }).poll();
    await polling({ events }).poll();
    const sent = server.requests.map(({ authorization }) => authorization);
    expect(new Set(sent)).toEqual(new Set(["token ghp_token", undefined]));
  });

  it("needs a repository", () => {
    expect(githubSourceConfig.safeParse({}).success).toBe(false);
    expect(githubSourceConfig.safeParse({ repo: "no-slash" }).success).toBe(false);
    expect(githubSourceConfig.safeParse({ repos: ["a/b", "a/c"] }).success).toBe(true);
    expect(connector.id).toBe("github");
  });
});
