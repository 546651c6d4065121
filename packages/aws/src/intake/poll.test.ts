import { type EventDraft, OrgLoopError, RetryAfterError, type Source } from "@orgloop/sdk";
import { fakeClock } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { memoryState } from "../state/memory-state-fixture.ts";
import { pollTick } from "./poll.ts";

const draft = (n: number): EventDraft => ({
  identity: String(n),
  provenance: { platform: "test" },
  payload: { n },
});

function polling(source: Source) {
  const clock = fakeClock();
  const { leases } = memoryState(clock);
  const published: unknown[] = [];
  const entries: { readonly phase: string; readonly error?: string }[] = [];
  const counts: string[] = [];
  const publish = async (_: string, drafts: readonly EventDraft[]) => {
    published.push(...drafts.map(({ payload }) => payload.n));
    return { events: [], unfit: [] };
  };
  const options = {
    openSource: async () => source,
    leases,
    publish,
    clock,
    flow: {
      log: (entry: { readonly phase: string; readonly error?: string }) => void entries.push(entry),
      count: (metric: string) => void counts.push(metric),
    },
  };
  const tick = (owner: string, remainingMs = 60_000) =>
    pollTick({ source: "s", owner, remainingMs }, options);
  const checkpoint = async () => {
    const lease = await leases.acquire("s", "looking", 1);
    const found = lease?.get();
    await lease?.release();
    return found;
  };
  return { clock, leases, options, published, entries, counts, tick, checkpoint };
}

test("each page is on the bus before its checkpoint moves; a failure keeps the pages before it", async () => {
  const order: string[] = [];
  let broken = true;
  const it = polling({
    async *poll(checkpoint) {
      for (let n = Number(checkpoint ?? 0) + 1; n <= 3; n++) {
        if (n === 3 && broken) throw new Error("the platform is ill");
        order.push(`page ${n} after ${it.published.join()}`);
        yield { events: [draft(n)], checkpoint: String(n) };
      }
    },
  });
  await it.tick("one");
  expect(order).toEqual(["page 1 after ", "page 2 after 1"]);
  expect(await it.checkpoint()).toBe("2");
  expect(it.entries).toMatchObject([{ phase: "source.error", error: "the platform is ill" }]);
  expect(it.counts).toEqual(["pollErrors"]);
  broken = false;
  await it.tick("two");
  expect(it.published).toEqual([1, 2, 3]);
});

test("what the bus did not take is polled again: its checkpoint has not moved", async () => {
  const it = polling({
    async *poll() {
      yield { events: [draft(1)], checkpoint: "1" };
    },
  });
  const publish = async () => {
    throw new OrgLoopError("QUEUE_REFUSED", "no");
  };
  await pollTick({ source: "s", owner: "one", remainingMs: 60_000 }, { ...it.options, publish });
  expect(await it.checkpoint()).toBeNull();
  await it.tick("two");
  expect(it.published).toEqual([1]);
});

test("one poll at a time; a killed one is waited for until its function cannot live any more", async () => {
  const it = polling({
    async *poll() {
      yield { events: [draft(1)], checkpoint: "1" };
      await new Promise(() => {});
    },
  });
  // The function is killed at once, long before its deadline.
  void it.tick("killed", 60_000);
  await it.clock.advance(0);
  const lease = await it.leases.acquire("s", "other", 1);
  expect(lease).toBeNull();
  await it.tick("second");
  expect(it.published).toEqual([1]);
  expect(it.counts).toEqual([]);
  await it.clock.advance(65_000);
  expect(await it.checkpoint()).toBe("1");
});

test("that a poll was killed is told by the one after it, once", async () => {
  const it = polling({
    async *poll() {
      yield { events: [draft(1)], checkpoint: "1" };
    },
  });
  await it.leases.acquire("s", "killed", 60_000);
  await it.clock.advance(60_000);
  await it.tick("second");
  expect(it.counts).toEqual(["pollErrors"]);
  expect(it.entries).toMatchObject([
    { phase: "source.error", source: "s", error: expect.stringContaining("did not end") },
  ]);
  await it.tick("third");
  expect(it.counts).toEqual(["pollErrors"]);
});

test("whose lease is over moves nothing", async () => {
  const it = polling({
    async *poll() {
      await it.clock.advance(70_000);
      yield { events: [draft(1)], checkpoint: "late" };
    },
  });
  await it.tick("slow", 60_000);
  expect(await it.checkpoint()).toBeNull();
});

test("a source that asks to be left alone is, by every poller", async () => {
  let polls = 0;
  const it = polling({
    async *poll() {
      polls += 1;
      if (polls === 1) throw new RetryAfterError("rate limited", 600_000);
      yield { events: [], checkpoint: "1" };
    },
  });
  await it.tick("one");
  await it.clock.advance(599_000);
  await it.tick("two");
  expect(polls).toBe(1);
  await it.clock.advance(1_000);
  await it.tick("three");
  expect(polls).toBe(2);
});

test("the poll ends at its deadline, with time to give the lease back", async () => {
  const it = polling({
    async *poll(_, { signal }) {
      yield { events: [draft(1)], checkpoint: "1" };
      await new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason)),
      );
    },
  });
  const done = it.tick("one", 60_000);
  await it.clock.advance(45_000);
  await done;
  expect(it.entries).toMatchObject([{ phase: "source.error" }]);
  expect(await it.checkpoint()).toBe("1");
});

test("which lists a poll could not read is kept with it, also where the poll fails", async () => {
  const ill = [{ list: "acme/api issues", error: "404", failures: 1 }];
  let fails = false;
  const it = polling({
    async *poll() {
      yield { events: [draft(1)], checkpoint: "1" };
      if (fails) throw new Error("the platform is ill");
    },
    illLists: (checkpoint) => (checkpoint === "1" ? ill : []),
  });
  const results: unknown[] = [];
  const leases = {
    async acquire(...asked: Parameters<typeof it.leases.acquire>) {
      const lease = await it.leases.acquire(...asked);
      return lease && { ...lease, release: async (how: unknown) => void results.push(how) };
    },
  };
  const tick = (owner: string) =>
    pollTick({ source: "s", owner, remainingMs: 60_000 }, { ...it.options, leases });
  await tick("one");
  fails = true;
  await it.clock.advance(600_000);
  await tick("two");
  expect(results).toMatchObject([
    { failed: false, illLists: ill },
    { failed: true, illLists: ill },
  ]);
});
