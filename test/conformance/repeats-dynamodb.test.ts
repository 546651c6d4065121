import {
  dynamoClaims,
  dynamoRepeatClaims,
  dynamoSourceEpochs,
  epochOf,
  nextEpochs,
} from "@orgloop/aws/state";
import { expect, test } from "vitest";
import { tableOfEachTest } from "./table-of-each-test.ts";

const its = tableOfEachTest();

const claim = (publication: string, given: object = {}) =>
  dynamoRepeatClaims(its.state).claim({
    eventId: "evt_1",
    publication,
    body: "b1",
    windowMs: 1_000,
    nowMs: its.nowMs,
    ...given,
  });

test("the first publication holds its event for the window, and passes when it comes back; others hear what was sent", async () => {
  expect(await claim("p1")).toBeNull();
  expect(await claim("p1")).toBeNull();
  expect(await claim("p2", { body: "b2" })).toEqual({ body: "b1" });
  expect(await claim("p2", { eventId: "evt_2" })).toBeNull();
  its.nowMs += 999;
  expect(await claim("p1")).toBeNull();
  expect(await claim("p2")).toEqual({ body: "b1" });
  its.nowMs += 1;
  expect(await claim("p2")).toBeNull();
  expect(await claim("p1")).toEqual({ body: "b1" });
});

test("of many at once one is the first", async () => {
  const found = await Promise.all(Array.from({ length: 40 }, (_, n) => claim(`p${n}`)));
  expect(found.filter((one) => one === null)).toHaveLength(1);
});

test("what the release before has claimed is claimed", async () => {
  await dynamoClaims(its.state).claim("event evt_1", "message-1", 1_000, its.nowMs);
  expect(await claim("p1")).toEqual({ body: undefined });
  expect(await claim("message-1")).toBeNull();
});

test("a source that comes back or changes its connector begins anew, before that is recorded and after", async () => {
  const lives = dynamoSourceEpochs(its.state);
  const hub = { id: "hub", connector: "a" };
  expect(await lives.read()).toEqual({});
  await lives.write(nextEpochs(await lives.read(), [hub]));
  expect(epochOf(await lives.read(), hub)).toBe(0);
  const other = { id: "hub", connector: "b" };
  expect(epochOf(await lives.read(), other)).toBe(1);
  await lives.write(nextEpochs(await lives.read(), [other]));
  expect(epochOf(await lives.read(), other)).toBe(1);
  await lives.write(nextEpochs(await lives.read(), []));
  expect(epochOf(await lives.read(), other)).toBe(2);
  await lives.write(nextEpochs(await lives.read(), [other]));
  expect(epochOf(await lives.read(), other)).toBe(2);
});
