import { describe, expect, test } from "vitest";
import { fakeClock } from "./fake-clock.ts";

describe("fakeClock", () => {
  test("calls back in the order of time, then of scheduling, at the right time", async () => {
    const clock = fakeClock(0);
    const calls: string[] = [];
    const at = (name: string) => () => calls.push(`${name}@${clock.now()}`);
    clock.schedule(20, at("c"));
    clock.schedule(10, at("a"));
    clock.schedule(10, at("b"));
    clock.schedule(21, at("later"));
    await clock.advance(20);
    expect(calls).toEqual(["a@10", "b@10", "c@20"]);
    expect(clock.now()).toBe(20);
    expect(clock.waiting()).toBe(1);
  });

  test("what a callback schedules, even after awaiting, falls due on the way", async () => {
    const clock = fakeClock(0);
    const ticks: number[] = [];
    const tick = async () => {
      ticks.push(clock.now());
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      clock.schedule(5, () => void tick());
    };
    clock.schedule(5, () => void tick());
    await clock.advance(23);
    expect(ticks).toEqual([5, 10, 15, 20]);
    expect(clock.now()).toBe(23);
  });

  test("cancelled is never called; both forms of the timers", async () => {
    const clock = fakeClock();
    const calls: string[] = [];
    clock.schedule(1, () => calls.push("schedule"))();
    clock.timers.clearTimeout(clock.timers.setTimeout(() => calls.push("cleared"), 1));
    clock.timers.clearTimeout(undefined);
    clock.timers.setTimeout(() => calls.push("kept"), 1);
    await clock.advance(5);
    expect(calls).toEqual(["kept"]);
  });

  test("advanceToNext goes exactly there", async () => {
    const clock = fakeClock(100);
    clock.schedule(50, () => undefined);
    expect(await clock.advanceToNext()).toBe(true);
    expect(clock.now()).toBe(150);
    expect(await clock.advanceToNext()).toBe(false);
  });
});
