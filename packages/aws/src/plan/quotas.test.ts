import { expect, test } from "vitest";
import { QUOTAS, quotaFindings } from "./quotas.ts";
import type { StageSize } from "./stage-size.ts";

const SIZE: StageSize = {
  functions: 40,
  roles: 42,
  schedules: 20,
  queues: 22,
  stacks: 9,
  concurrency: 300,
  reservedConcurrency: 100,
  leastConcurrency: 250,
  sharedConcurrency: 1_000,
};

const levels = (size: Partial<StageSize>, limits: Readonly<Record<string, number>> = {}) =>
  Object.fromEntries(
    quotaFindings({ ...SIZE, ...size }, ({ size: of }) => limits[of] ?? null).map((found) => [
      found.quota.size,
      found.level,
    ]),
  );

test("a small stage fits into a new account", () => {
  expect(new Set(Object.values(levels({})))).toEqual(new Set(["ok"]));
});

test("what a deploy would fail of is over, what leaves little room is tight", () => {
  expect(levels({ roles: 1_001 })).toMatchObject({ roles: "over", stacks: "ok" });
  expect(levels({ roles: 850 })).toMatchObject({ roles: "tight" });
  expect(levels({ roles: 1_001 }, { roles: 5_000 })).toMatchObject({ roles: "ok" });
  expect(levels({ stacks: 2_001 })).toMatchObject({ stacks: "over" });
  expect(levels({ concurrency: 1_500 })).toMatchObject({ concurrency: "tight" });
  expect(levels({}, { concurrency: 10 })).toMatchObject({ concurrency: "over" });
  // More is shared out than there is.
  expect(levels({}, { concurrency: 999 })).toMatchObject({ concurrency: "tight" });
  expect(levels({ leastConcurrency: 200 }, { concurrency: 199 })).toMatchObject({
    concurrency: "over",
  });
});

test("of queues an account may have as many as it likes", () => {
  expect(levels({ queues: 1_000_000 })).toMatchObject({ queues: "ok" });
});

test("each advice says what to do, each quota where AWS documents it", () => {
  const over = quotaFindings({ ...SIZE, roles: 2_000, stacks: 3_000 }, () => 100);
  for (const { level, advice } of over) expect(advice === "").toBe(level === "ok");
  for (const { source } of QUOTAS) expect(source).toMatch(/^https:\/\/docs\.aws\.amazon\.com\//);
});
