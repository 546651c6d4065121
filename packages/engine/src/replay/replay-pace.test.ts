import { fakeClock } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { replayPace } from "./replay-pace.ts";

test("replays are spaced evenly, and end with the process", async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  const startMs = clock.now();
  const pace = replayPace("2/s", clock, stop.signal);
  const sent: number[] = [];
  const sending = (async () => {
    while (await pace()) sent.push(clock.now() - startMs);
  })();
  await clock.advance(1_750);
  stop.abort();
  await sending;
  expect(sent).toEqual([0, 500, 1_000, 1_500].map((ms) => expect.closeTo(ms, -1)));
  expect(() => replayPace("fast", clock, stop.signal)).toThrow("is not a rate");
});
