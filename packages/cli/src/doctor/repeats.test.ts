import { expect, test } from "vitest";
import { checkRepeats } from "./repeats.ts";

const HOUR_MS = 3_600_000;

test("says which window really holds", () => {
  const status = { ids: 12, most: 1_000_000, window_ms: 24 * HOUR_MS };
  const sound = checkRepeats({ ...status, holds_ms: 24 * HOUR_MS });
  expect(sound).toMatchObject({ status: "ok", message: expect.stringContaining("known for 1d") });
  const short = checkRepeats({ ...status, ids: 1_000_000, holds_ms: 3 * HOUR_MS + 4 });
  expect(short.status).toBe("degraded");
  expect(short.message).toContain("known for 3h only, not 1d");
});
