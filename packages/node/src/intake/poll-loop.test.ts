import type { InjectedDraft } from "@orgloop/engine";
import {
  type LogEntry,
  PartialPollError,
  type PollOptions,
  RetryAfterError,
  type Source,
  type SourcePage,
} from "@orgloop/sdk";
import { memoryCheckpoints } from "@orgloop/stores";
import { fakeClock } from "@orgloop/testkit";
import { expect, onTestFinished, test } from "vitest";
import { inUse } from "../apply/in-use.ts";
import { activityOf } from "../process/process-fixture.ts";
import { pollLoop } from "./poll-loop.ts";
import type { PolledSource } from "./source-loop.ts";

type Poll = (checkpoint: string | null, options: PollOptions) => AsyncIterable<SourcePage>;

function page(n: number): SourcePage {
  return {
    events: [{ identity: `${n}`, provenance: { platform: "test" }, payload: { n } }],
    checkpoint: `${n}`,
  };
}

function polling(
  polls: Readonly<Record<string, Poll | Source>>,
  { concurrency = 16, intervalMs = 60_000, random = (): number => 0.5 } = {},
) {
  const clock = fakeClock(undefined, random);
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const entries: Omit<LogEntry, "timestamp">[] = [];
  const checkpoints = memoryCheckpoints();
  const kept: InjectedDraft[] = [];
  const refusals: Error[] = [];
  const sources = Object.entries(polls).map(
    ([id, poll]): PolledSource => ({
      id,
      intervalMs,
      source: inUse(
        (typeof poll === "function" ? { poll } : poll) as PolledSource["source"]["part"],
        new Set(),
      ),
    }),
  );
  const loop = pollLoop({
    sources,
    concurrency,
    checkpoints,
    clock,
    stop: stop.signal,
    log: (entry) => void entries.push(entry),
    activity: activityOf(),
    ingest: async (drafts) => {
      const refusal = refusals.shift();
      if (refusal) throw refusal;
      kept.push(...drafts);
      return { events: [], repeats: [], unfit: [] };
    },
  });
  loop.start();
  return { clock, stop, entries, checkpoints, kept, refusals, loop };
}

test("polls at once, then at the interval, give or take a tenth", async () => {
  const at: number[] = [];
  for (const [random, secondMs] of [
    [0, 54_000],
    [0.5, 60_000],
    [0.999, 65_988],
  ] as const) {
    at.length = 0;
    const { clock } = polling(
      {
        async *a() {
          at.push(clock.now());
          yield* [];
        },
      },
      { random: () => random },
    );
    const startMs = clock.now();
    await clock.advance(66_000);
    expect(at.slice(0, 2).map((ms) => ms - startMs)).toEqual([0, secondMs]);
  }
});

test("no source is polled twice at a time, and no more sources than the bound", async () => {
  let running = 0;
  let most = 0;
  let overlap = false;
  const active = new Set<number>();
  const polls = Object.fromEntries(
    Array.from({ length: 10 }, (_, n): [string, Poll] => [
      `s${n}`,
      async function* () {
        overlap ||= active.has(n);
        active.add(n);
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => clock.schedule(n * 700, resolve));
        running -= 1;
        active.delete(n);
        yield page(n);
      },
    ]),
  );
  const { clock, kept } = polling(polls, { concurrency: 3, intervalMs: 1_000 });
  await clock.advance(60_000);
  expect(overlap).toBe(false);
  expect(most).toBe(3);
  expect(kept.length).toBeGreaterThan(30);
});

test("each page is kept before the checkpoint moves; what could not be kept is polled again from there", async () => {
  const from: (string | null)[] = [];
  const { clock, kept, checkpoints, refusals, entries, loop } = polling({
    async *a(checkpoint) {
      from.push(checkpoint);
      for (let n = Number(checkpoint ?? 0) + 1; n <= 3; n += 1) yield page(n);
    },
  });
  refusals.push(Object.assign(new Error("no space left on device"), { code: "ENOSPC" }));
  await clock.advance(0);
  expect(await checkpoints.get("a")).toBeNull();
  expect(entries).toMatchObject([{ phase: "source.error", source: "a", metadata: { by: "host" } }]);
  await clock.advance(10_000);
  expect(from).toEqual([null, null]);
  expect(kept.map(({ identity }) => identity)).toEqual(["1", "2", "3"]);
  expect(await checkpoints.get("a")).toBe("3");
  await clock.advance(60_000);
  expect(from).toEqual([null, null, "3"]);
  expect(loop.states.get("a")).toMatchObject({ checkpoint: "3", lastPollMs: clock.now() });
});

test("a source that reads some of its lists goes on at its interval, and says which are ill", async () => {
  const at: number[] = [];
  const lists = [{ list: "acme/api runs", error: "404", failures: 1 }];
  const { clock, entries, loop, kept } = polling({
    a: {
      async *poll() {
        at.push(clock.now());
        yield page(at.length);
        throw new PartialPollError("GITHUB_FAILED", "acme/api runs: 404");
      },
      illLists: () => lists,
    },
    broken: {
      async *poll() {},
      illLists: () => {
        throw new Error("no checkpoint");
      },
    },
  });
  await clock.advance(10 * 60_000);
  expect(at.length).toBe(10);
  expect(kept).toHaveLength(10);
  expect(loop.states.get("a")).toMatchObject({
    circuit: { open: false, errors: 0 },
    illLists: lists,
  });
  expect(loop.states.get("broken")?.illLists).toEqual([]);
  expect(new Set(entries.map(({ phase }) => phase))).toEqual(new Set(["source.error"]));
});

test("a circuit that is open rests no shorter than the interval", async () => {
  const at: number[] = [];
  const { clock } = polling(
    {
      // biome-ignore lint/correctness/useYield: it fails before it has a page
      async *a() {
        at.push(clock.now());
        throw new Error("HTTP 500");
      },
    },
    { intervalMs: 300_000 },
  );
  const startMs = clock.now();
  await clock.advance(7 * 300_000);
  expect(at.map((ms) => (ms - startMs) / 300_000)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test("five errors in a row open the circuit for a minute; success closes it", async () => {
  let ill = true;
  let polls = 0;
  const { clock, entries, loop } = polling(
    {
      // biome-ignore lint/correctness/useYield: it fails before it has a page
      async *a() {
        polls += 1;
        if (ill) throw new Error("HTTP 500");
      },
    },
    { intervalMs: 1_000 },
  );
  await clock.advance(4_000);
  expect([polls, loop.states.get("a")?.circuit.open]).toEqual([5, true]);
  await clock.advance(59_999);
  expect(polls).toBe(5);
  ill = false;
  await clock.advance(1);
  expect(polls).toBe(6);
  await clock.advance(1_000);
  expect(polls).toBe(7);
  expect(entries.map(({ phase }) => phase).filter((phase) => phase !== "source.error")).toEqual([
    "source.circuit_open",
    "source.circuit_retry",
    "source.circuit_close",
  ]);
});

test("a source that asks for time gets it", async () => {
  let polls = 0;
  const { clock } = polling(
    {
      // biome-ignore lint/correctness/useYield: it fails before it has a page
      async *a() {
        polls += 1;
        if (polls === 1) throw new RetryAfterError("rate limit", 3_600_000);
      },
    },
    { intervalMs: 1_000 },
  );
  await clock.advance(3_599_999);
  expect(polls).toBe(1);
  await clock.advance(1);
  expect(polls).toBe(2);
});

test("a source that knows when it has something is polled then, an endless wait falls back to the interval", async () => {
  const at: number[] = [];
  const ticks = [1_000, 2_500, Number.POSITIVE_INFINITY];
  const source: Source = {
    async *poll() {
      at.push(clock.now() - startMs);
      yield* [];
    },
    nextPoll: () => startMs + (ticks.shift() ?? Number.POSITIVE_INFINITY),
  };
  const { clock } = polling({ a: source });
  const startMs = clock.now();
  await clock.advance(62_500);
  expect(at).toEqual([0, 1_000, 2_500, 62_500]);
});

test("a machine's clock that is set forward past a source's hint has it polled within half a minute, one that is set back lengthens no wait", async () => {
  const at: number[] = [];
  const hint = Date.UTC(2026, 0, 1, 12);
  const { clock } = polling(
    {
      a: {
        async *poll() {
          at.push(clock.now() - startMs);
          yield* [];
        },
        nextPoll: (nowMs) => (nowMs < hint ? hint : Number.POSITIVE_INFINITY),
      },
    },
    { intervalMs: 3_600_000 },
  );
  const startMs = clock.now();
  await clock.advance(60_000);
  clock.stepWall(12 * 3_600_000);
  await clock.advance(60_000);
  expect(at).toHaveLength(2);
  expect(at[1]).toBeLessThanOrEqual(90_000);
  clock.stepWall(-24 * 3_600_000);
  await clock.advance(3_600_000);
  expect(at).toHaveLength(3);
});

test("a poll that hangs is ended at its deadline, and the source is left alone until it lets go", async () => {
  const hang = Promise.withResolvers<void>();
  let polls = 0;
  const { clock, entries, kept } = polling(
    {
      async *a() {
        polls += 1;
        if (polls === 1) await hang.promise;
        yield page(polls);
      },
      async *b() {
        yield page(100);
      },
    },
    { concurrency: 1 },
  );
  await clock.advance(600_000);
  expect(polls).toBe(1);
  expect(entries).toMatchObject([{ phase: "source.error", source: "a" }]);
  expect(kept.some(({ source }) => source === "b")).toBe(true);
  hang.resolve();
  await clock.advance(1_000);
  expect(polls).toBe(2);
  expect(kept.filter(({ source }) => source === "a").map(({ identity }) => identity)).toEqual([
    "2",
  ]);
});

test("stopping ends the polls, and is no error of the source", async () => {
  const { stop, entries, loop, clock } = polling({
    async *a(_, { signal }) {
      await new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason)),
      );
    },
  });
  await clock.advance(0);
  stop.abort();
  await loop.ended;
  expect(entries).toEqual([]);
});
