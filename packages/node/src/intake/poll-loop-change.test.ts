import { RetryAfterError, type Source, type SourcePage } from "@orgloop/sdk";
import { memoryCheckpoints } from "@orgloop/stores";
import { fakeClock } from "@orgloop/testkit";
import { expect, onTestFinished, test } from "vitest";
import { inUse } from "../apply/in-use.ts";
import { activityOf } from "../process/process-fixture.ts";
import { pollLoop } from "./poll-loop.ts";
import type { PolledSource } from "./source-loop.ts";

const MINUTE = 60_000;

/** A source whose polls are told apart; `act` may fail or wait, and its text is the checkpoint. */
function pollable(
  id: string,
  act: (checkpoint: string | null, signal: AbortSignal) => string | Promise<string>,
  intervalMs = MINUTE,
) {
  const closed = Promise.withResolvers<void>();
  const state = { closed: false };
  const source: Source = {
    async *poll(checkpoint, { signal }): AsyncGenerator<SourcePage> {
      yield { events: [], checkpoint: await act(checkpoint, signal) };
    },
    async close() {
      state.closed = true;
      closed.resolve();
    },
  };
  const polled = {
    id,
    intervalMs,
    source: inUse(source, new Set()) as unknown as PolledSource["source"],
  };
  return { polled, state, every: (ms: number): PolledSource => ({ ...polled, intervalMs: ms }) };
}

function polling(...sources: readonly PolledSource[]) {
  const clock = fakeClock(undefined, () => 0.5);
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const checkpoints = memoryCheckpoints();
  const loop = pollLoop({
    sources,
    concurrency: 16,
    checkpoints,
    clock,
    stop: stop.signal,
    log() {},
    activity: activityOf(),
    ingest: async () => ({ events: [], repeats: [], unfit: [] }),
  });
  loop.start();
  return { clock, loop, checkpoints, stop };
}

test("a source that stays keeps its next poll, its circuit and its checkpoint", async () => {
  const at: number[] = [];
  const same = pollable("same", () => {
    at.push(clock.now());
    throw new Error("down");
  });
  const { clock, loop } = polling(same.polled);
  const startMs = clock.now();
  await clock.advance(4 * MINUTE);
  expect(loop.states.get("same")?.circuit).toEqual({ errors: 5, open: true });
  const other = pollable("other", () => "1");
  loop.change([same.polled, other.polled], []);
  await clock.advance(0);
  expect(loop.states.get("same")?.circuit.errors).toBe(5);
  expect(loop.states.get("other")?.checkpoint).toBe("1");
  await clock.advance(MINUTE);
  expect(at.map((ms) => (ms - startMs) / MINUTE)).toEqual([0, 1, 2, 3, 4, 5]);
});

test("of a changed source the poll in flight ends first; the new one goes on where it ended, its circuit closed", async () => {
  const entered = Promise.withResolvers<AbortSignal>();
  const ends = Promise.withResolvers<string>();
  const before = pollable("s", (_, signal) => {
    entered.resolve(signal);
    return ends.promise;
  });
  const seen: (string | null)[] = [];
  const after = pollable("s", (checkpoint) => {
    seen.push(checkpoint);
    return "2";
  });
  const { clock, loop } = polling(before.polled);
  await clock.advance(0);
  const signal = await entered.promise;
  loop.change([after.polled], []);
  void before.polled.source.release();
  await clock.advance(MINUTE);
  expect([signal.aborted, seen, before.state.closed]).toEqual([false, [], false]);
  ends.resolve("1");
  await clock.advance(0);
  expect([seen, before.state.closed]).toEqual([["1"], true]);
  await clock.advance(MINUTE);
  expect(seen).toEqual(["1", "2"]);
});

test("of a removed source the poll in flight is cut, and then its checkpoint goes; back again it starts anew", async () => {
  const entered = Promise.withResolvers<AbortSignal>();
  const ends = Promise.withResolvers<string>();
  const before = pollable("s", (checkpoint, signal) => {
    if (checkpoint === null) return "1";
    entered.resolve(signal);
    return ends.promise;
  });
  const seen: (string | null)[] = [];
  const back = pollable("s", (checkpoint) => {
    seen.push(checkpoint);
    return "9";
  });
  const { clock, loop, checkpoints } = polling(before.polled);
  await clock.advance(MINUTE);
  const signal = await entered.promise;
  expect(await checkpoints.get("s")).toBe("1");
  loop.change([], ["s"]);
  expect(signal.aborted).toBe(true);
  loop.change([back.polled], []);
  await clock.advance(0);
  expect(seen).toEqual([null]);
  expect(await checkpoints.get("s")).toBe("9");
  ends.resolve("late");
  await clock.advance(0);
  expect(await checkpoints.get("s")).toBe("9");
});

test("what is only no longer polled keeps its checkpoint", async () => {
  const source = pollable("s", () => "1");
  const { clock, loop, checkpoints } = polling(source.polled);
  await clock.advance(0);
  loop.change([], []);
  await clock.advance(MINUTE);
  expect([...loop.states.keys()]).toEqual([]);
  expect(await checkpoints.get("s")).toBe("1");
});

test("a shorter interval counts at once, a longer one from the next poll; a source that asked to be left alone is", async () => {
  const at: number[] = [];
  const source = pollable("s", () => `${at.push(clock.now())}`);
  const asked: number[] = [];
  const asking = pollable("asking", () => {
    asked.push(clock.now());
    throw new RetryAfterError("busy", 10 * MINUTE);
  });
  const { clock, loop } = polling(source.polled, asking.polled);
  const startMs = clock.now();
  await clock.advance(1_000);
  loop.change([source.every(5_000), asking.every(5_000)], []);
  await clock.advance(10_000);
  loop.change([source.every(30_000), asking.every(5_000)], []);
  await clock.advance(35_000);
  expect(at.map((ms) => Math.round((ms - startMs) / 1_000))).toEqual([0, 6, 11, 16, 46]);
  expect(asked).toHaveLength(1);
});

test("the drain waits for polls that are leaving too", async () => {
  const entered = Promise.withResolvers<void>();
  const ends = Promise.withResolvers<string>();
  const before = pollable("s", () => {
    entered.resolve();
    return ends.promise;
  });
  const { clock, loop, stop } = polling(before.polled);
  await clock.advance(0);
  await entered.promise;
  loop.change([pollable("s", () => "2").polled], []);
  stop.abort();
  let isOver = false;
  void loop.ended.then(() => {
    isOver = true;
  });
  await clock.advance(0);
  expect(isOver).toBe(false);
  ends.resolve("1");
  await loop.ended;
});
