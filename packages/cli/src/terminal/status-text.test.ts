import { expect, test } from "vitest";
import type { Status } from "./status-form.ts";
import { statusText } from "./status-text.ts";

const STATUS: Status = {
  workspace: "default",
  running: true,
  bus: "file",
  uptime_ms: 60_000,
  sources: [],
  routes: [],
  actors: [],
  unacked: 3,
  dead_letters: 1,
};

test("what keeps the process from taking events is said, with what to do; otherwise nothing is", () => {
  const live = (not_ready: string | null) => ({ not_ready, routes: [], actors: [] });
  const lines = (refusal?: string | null) =>
    statusText("acme", "process 1, port 2", STATUS, {
      live: refusal === undefined ? null : live(refusal),
    })
      .split("\n")
      .slice(0, 3);
  const [first, second] = lines();
  expect([first, second]).toEqual([
    "acme (workspace default) runs for 1m (process 1, port 2)",
    "bus file, 3 events unacked, 1 dead letter",
  ]);
  expect(lines(null)).toEqual(lines());
  expect(lines("the bus takes no events: ENOSPC. Free some space")[2]).toBe(
    "TAKES NO EVENTS NOW: the bus takes no events: ENOSPC. Free some space",
  );
});

test("drops, an open breaker, letters, what waits longest and wrong files are told with what to do", () => {
  const nowMs = Date.parse("2026-11-28T10:00:00Z");
  const route = { name: "review", matched: 9, delivered: 4, failed: 1, circuit: "open" } as const;
  const actor = { id: "agent", queued: 2, queue_depth: 10, in_flight: 0 };
  const breaker = {
    reason: "connect ECONNREFUSED",
    since: "2026-11-28T09:55:00Z",
    next_probe_at: "2026-11-28T10:00:30Z",
  };
  const live = {
    not_ready: null,
    routes: [{ ...route, dropped: 4, breaker }],
    actors: [{ ...actor, connector: "c", oldest_at: "2026-11-28T09:48:00Z" }],
  };
  const error = { file: "a.yaml", line: 3, column: 1, path: "", message: "no", code: "x" };
  const status = { ...STATUS, routes: [route], actors: [actor] };
  const text = statusText("acme", "here", status, { live, errors: [error, error], nowMs });
  expect(text.split("\n").slice(2)).toEqual([
    "! the breaker of review is open for 5m: connect ECONNREFUSED; the next try is in 30s",
    "! 1 dead letter: `orgloop dead-letters list` says why",
    "! the files have 2 errors; what was applied before goes on: a.yaml:3:1: no",
    "",
    "SOURCE  CONNECTOR  STATE  EVENTS  LAST POLL",
    "",
    "ROUTE   MATCHED  DELIVERED  DROPPED  FAILED  CIRCUIT",
    "review  9        4          4        1       open",
    "",
    "ACTOR  QUEUED  IN FLIGHT  OLDEST",
    "agent  2/10    0          12m",
  ]);
});
