import { fakeClock } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { inWaves } from "./route-batch.ts";

test("what is ready together comes together, in order; nothing waits for what takes long, and nothing is lost", async () => {
  const clock = fakeClock();
  const [slow, late] = [Promise.withResolvers<number[]>(), Promise.withResolvers<number[]>()];
  const waves: (readonly number[])[] = [];
  const tasks = [slow.promise, Promise.resolve([2, 3]), late.promise, Promise.resolve([5])];
  const all = (async () => {
    for await (const wave of inWaves(tasks, clock)) waves.push(wave);
  })();
  await clock.advance(1_000);
  expect(waves).toEqual([[2, 3, 5]]);
  late.resolve([4]);
  await clock.advance(1_000);
  expect(waves).toEqual([[2, 3, 5], [4]]);
  slow.resolve([1]);
  await all;
  expect(waves).toEqual([[2, 3, 5], [4], [1]]);
});
