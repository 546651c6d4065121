import { expect, test } from "vitest";
import { repeatPolicy } from "./repeat-policy.ts";

const HOUR_MS = 3_600_000;

test("the source's own window goes before the defaults', then its connector's, then a day", () => {
  const own = { repeat_window: "1h" };
  const windowOf = (...args: Parameters<typeof repeatPolicy>) => repeatPolicy(...args).windowMs;
  expect(windowOf(own, { repeat_window: "2h" }, "7d")).toBe(HOUR_MS);
  expect(windowOf({}, { repeat_window: "2h" }, "7d")).toBe(2 * HOUR_MS);
  expect(windowOf({}, {}, "7d")).toBe(7 * 24 * HOUR_MS);
  expect(windowOf({}, {}, undefined)).toBe(24 * HOUR_MS);
});

test("a repeat is dropped unless the source says deliver", () => {
  expect(repeatPolicy({}, {}, undefined).again).toBe(false);
  expect(repeatPolicy({ repeats: "drop" }, {}, undefined).again).toBe(false);
  expect(repeatPolicy({ repeats: "deliver" }, {}, undefined).again).toBe(true);
});
