import { expect, test } from "vitest";
import { expiryDeadline } from "./delivery.ts";
import { sampleDelivery } from "./sample-delivery.ts";
import { samplePolicy } from "./sample-policy.ts";

const HOUR = 3_600_000;
const NOW = Date.parse("2026-11-01T12:00:00Z");
const policy = samplePolicy({ maxAgeMs: HOUR });

test.each([
  { what: "no step", stampedMs: NOW - 600_000, wallMs: NOW, leftMs: HOUR - 600_000 },
  { what: "a day on since it was stamped", stampedMs: NOW, wallMs: NOW + 24 * HOUR, leftMs: HOUR },
  {
    what: "a day back since it was stamped",
    stampedMs: NOW,
    wallMs: NOW - 24 * HOUR,
    leftMs: HOUR,
  },
  {
    what: "stamped by a clock that is ahead",
    stampedMs: NOW + HOUR,
    wallMs: NOW + HOUR,
    leftMs: HOUR,
  },
  {
    what: "stamped by a clock that is behind",
    stampedMs: NOW - HOUR,
    wallMs: NOW - HOUR,
    leftMs: HOUR,
  },
])("$what: no step of the clock makes an event too old", ({ stampedMs, wallMs, leftMs }) => {
  const delivery = sampleDelivery("r", "k", "e1", stampedMs);
  const clock = { now: () => NOW, wall: () => wallMs };
  expect(expiryDeadline(delivery, policy, clock)).toBe(NOW + leftMs);
});

test("an event that was stamped while the clock was behind, and that was put right since, is as old as it is", () => {
  const delivery = sampleDelivery("r", "k", "e1", NOW - 24 * HOUR - 60_000);
  const clock = { now: () => NOW, wall: () => NOW, offsets: () => [0, -24 * HOUR, 0] };
  expect(expiryDeadline(delivery, policy, clock)).toBe(NOW + HOUR - 60_000);
});

test("a replay is never too old, nor is what has no max_age", () => {
  const delivery = sampleDelivery("r", "k", "e1", NOW);
  const clock = { now: () => NOW, wall: () => NOW };
  expect(expiryDeadline({ ...delivery, replay: 1 }, policy, clock)).toBe(Number.POSITIVE_INFINITY);
  expect(expiryDeadline(delivery, samplePolicy({ maxAgeMs: null }), clock)).toBe(
    Number.POSITIVE_INFINITY,
  );
});
