import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { idsOf, issue, minute, NOW, namesOf, pollingHost, unique } from "./polling-host.ts";
import type { Recorded } from "./replay/collections.ts";
import { type ReplayServer, replayServer } from "./replay/replay-server.ts";

let server: ReplayServer;
beforeEach(async () => {
  server = await replayServer();
});
afterEach(() => server.close());

const polling = (config?: Record<string, unknown>, perPage?: number) =>
  pollingHost(server, config, perPage);

describe("a poll that is cut", () => {
  it("at any page, any number of times, is resumed so that every event comes once", async () => {
    const repository = server.repository("acme/api");
    for (let n = 1; n <= 20; n += 1) {
      repository.issues.push(issue(n, minute(Math.floor(n / 7))));
      const issue_url = `https://api.github.com/repos/acme/api/issues/${1 + (n % 3)}`;
      const comment = { user: null, body: "b", html_url: `${issue_url}#c`, issue_url };
      repository.issueComments.push({ id: n, updated_at: minute(n), ...comment });
    }
    const config = { repo: "acme/api", events: ["issues.opened", "issue_comment"] };
    const whole = idsOf(await polling(config).poll()).toSorted();
    expect(whole).toHaveLength(40);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
        fc.integer({ min: 4, max: 20 }),
        async (cuts, perPage) => {
          const host = polling(config, perPage);
          const ids: unknown[] = [];
          for (const pages of cuts) ids.push(...idsOf(await host.poll({ pages })));
          ids.push(...idsOf(await host.poll()));
          expect(ids.toSorted()).toEqual(whole);
          expect(await host.poll()).toEqual([]);
        },
      ),
      { numRuns: 4 },
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
    const names = ["opened", "closed", "merged"].map((name) => `pull_request.${name}`);
    const events = ["issues.opened", "issues.closed", "issue_comment", ...names];
    const host = polling({ repo: "acme/api", events });
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

  it("a list that grows behind a full page is not taken for unchanged", async () => {
    const repository = server.repository("acme/api");
    const host = polling({ repo: "acme/api", events: ["issues.opened"] }, 4);
    for (let n = 1; n <= 9; n += 1) {
      repository.issues.push(issue(n, minute(1)));
      expect(idsOf(await host.poll())).toEqual([`issue/${1000 + n}/opened@${minute(1)}`]);
    }
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
