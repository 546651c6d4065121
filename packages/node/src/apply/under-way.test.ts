import { expect, test } from "vitest";
import { inFlight } from "./in-flight.ts";

test("the end waits for all, also for what began meanwhile and for what fails", async () => {
  const { track, ended } = inFlight();
  await ended();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  let isEnded = false;
  const handed = track(first.promise.then(() => void track(second.promise).catch(() => {})));
  const all = ended().then(() => {
    isEnded = true;
  });
  first.resolve();
  await handed;
  expect(isEnded).toBe(false);
  second.reject(new Error("no"));
  await all;
  await ended();
});
