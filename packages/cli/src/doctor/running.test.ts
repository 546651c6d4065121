import { expect, test } from "vitest";
import { checkVariables } from "./project.ts";
import { checkDeliveries } from "./running.ts";

const route = { name: "r", matched: 1, delivered: 0, failed: 0, dropped: 0 };
const closed = { ...route, circuit: "closed", breaker: null } as const;

test("an open breaker and letters are degraded, with why and what to do", () => {
  const sound = checkDeliveries({ routes: [closed], dead_letters: 0, not_ready: null });
  expect(sound.map(({ status }) => status)).toEqual(["ok", "ok"]);
  const breaker = { reason: "HTTP 503", since: null, next_probe_at: "2026-11-28T10:00:00.000Z" };
  const open = { ...route, circuit: "open", breaker } as const;
  const ill = checkDeliveries({ routes: [closed, open], dead_letters: 2, not_ready: "disk full" });
  expect(ill.map(({ name, status }) => `${name} ${status}`)).toEqual([
    "intake error",
    "route r degraded",
    "dead letters degraded",
  ]);
  expect(ill[1]?.message).toBe(
    "the breaker is open: HTTP 503; it is tried again at 2026-11-28T10:00:00.000Z",
  );
  expect(ill[2]?.message).toMatch(/^2 events given up: `orgloop dead-letters list`/);
});

test("where a process runs, its variables count, not those of whoever asks", () => {
  const use = { file: "a.yaml", line: 1, column: 1, path: "p" };
  const variables = [
    { ...use, name: "MINE", defined: true },
    { ...use, name: "ITS", defined: false },
  ];
  const told = (unset: readonly string[] | null) =>
    checkVariables({ variables }, unset).map(({ name, status }) => `${name} ${status}`);
  expect(told(null)).toEqual(["MINE ok", "ITS error"]);
  expect(told(["MINE"])).toEqual(["MINE error", "ITS ok"]);
});
