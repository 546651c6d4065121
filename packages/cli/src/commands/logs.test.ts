import type { LogEntry } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { entryFilter } from "./logs.ts";

const entry: LogEntry = {
  timestamp: "2026-11-23T09:08:07.006Z",
  phase: "deliver.success",
  event_id: "evt_4c1d0f9a",
  trace_id: "trc_1",
  source: "hub",
  target: "reviewer",
  route: "review",
  event_type: "resource.changed",
  result: "delivered",
  duration_ms: 12.4,
};
test.each([
  [{}, true],
  [{ source: "hub", route: "review", result: "delivered" }, true],
  [{ source: "other" }, false],
  [{ eventType: "actor.stopped" }, false],
  [{ event: "trc_1" }, true],
  [{ event: "evt_2" }, false],
  [{ event: "4c1d" }, true],
  [{ event: "evt_4c1d" }, true],
  [{ event: "4c1e" }, false],
  [{ phase: "deliver" }, true],
  [{ phase: "deliver.retry" }, false],
  [{ since: "2026-11-23T09:08:08Z" }, false],
  [{ since: "5m" }, true],
  [{ since: "5s" }, false],
])("logs %j shows the entry: %s", (options, shown) => {
  const nowMs = Date.parse("2026-11-23T09:09:00Z");
  expect(entryFilter({ follow: false, ...options }, nowMs)(entry)).toBe(shown);
});

test("a time that is none is refused", () => {
  expect(() => entryFilter({ follow: false, since: "soon" }, 0)).toThrow(/--since "soon"/);
});

test("a phase that there is not is refused, with the nearest", () => {
  const filter = (phase: string) => () => entryFilter({ follow: false, phase }, 0);
  expect(filter("deliver.sucess")).toThrow(
    /there is no such phase: did you mean "deliver.success"/,
  );
  expect(filter("del")).toThrow(/there is no such phase/);
});
