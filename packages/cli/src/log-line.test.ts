import type { LogEntry } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { entryFilter } from "./commands/logs.ts";
import { logLine } from "./log-line.ts";

const entry: LogEntry = {
  timestamp: "2026-11-23T09:08:07.006Z",
  phase: "deliver.success",
  event_id: "evt_1",
  trace_id: "trc_1",
  source: "hub",
  target: "reviewer",
  route: "review",
  event_type: "resource.changed",
  result: "delivered",
  duration_ms: 12.4,
};
const plain = (_: unknown, text: string) => text;

test("a line has the console logger's fields in its order", () => {
  expect(logLine(entry, plain)).toMatch(
    /^\d\d:\d\d:07\.006 ✓ deliver\.success src=hub tgt=reviewer route=review type=resource\.changed result=delivered evt=evt_1 12ms$/,
  );
});

test("event data cannot forge a line or steer the terminal", () => {
  const forged = logLine({ ...entry, source: "a\nb\u001b[2J\u202e", error: "x\r" }, plain);
  expect(forged).toContain("src=a\\u000ab\\u001b[2J\\u202e");
  expect(forged).toMatch(/err=x\\u000d$/);
});

test.each([
  [{}, true],
  [{ source: "hub", route: "review", result: "delivered" }, true],
  [{ source: "other" }, false],
  [{ eventType: "actor.stopped" }, false],
  [{ event: "trc_1" }, true],
  [{ event: "evt_2" }, false],
  [{ phase: "deliver" }, true],
  [{ phase: "del" }, false],
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
