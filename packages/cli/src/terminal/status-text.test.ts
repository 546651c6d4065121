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
  const lines = (refusal?: string | null) =>
    statusText("acme", "process 1, port 2", STATUS, refusal).split("\n").slice(0, 3);
  const [first, second] = lines();
  expect([first, second]).toEqual([
    "acme (workspace default) runs for 1m (process 1, port 2)",
    "bus file, 3 events unacked, 1 dead letters",
  ]);
  expect(lines(null)).toEqual(lines());
  expect(lines("the bus takes no events: ENOSPC. Free some space")[2]).toBe(
    "TAKES NO EVENTS NOW: the bus takes no events: ENOSPC. Free some space",
  );
});
