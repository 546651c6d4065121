import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { RetryAfterError, type Source } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { eventually, startFixture, temporaryDir, topologyOf } from "../process/process-fixture.ts";

const HOUR = 3_600_000;

/** Sources of which `busy` asks for an hour as long as it is busy; how often each was polled. */
function organisation() {
  const polls = { busy: 0, other: 0 };
  let busy = true;
  const sourceOf = (id: keyof typeof polls, ask: () => boolean): Source => ({
    async *poll() {
      polls[id] += 1;
      if (ask()) throw new RetryAfterError("rate limit", HOUR);
      yield* [];
    },
  });
  const sources = { busy: sourceOf("busy", () => busy), other: sourceOf("other", () => false) };
  const topology = topologyOf({ sources }, []);
  const dataDir = temporaryDir();
  return {
    polls,
    mend: () => {
      busy = false;
    },
    start: async (options: { now?: () => number } = {}) =>
      startFixture(topology, { sources }, { dataDir: await dataDir, ...options }),
    kept: async () => readFile(join(await dataDir, "attempt-starts.jsonl"), "utf8"),
  };
}

test("what a source asked to wait for holds over a restart, and no longer than it was asked for", async () => {
  const it = organisation();
  const first = await it.start();
  await eventually(async () => expect(await it.kept()).toContain('"asked"'));
  await first.drain();
  expect(it.polls).toEqual({ busy: 1, other: 1 });
  it.mend();

  const second = await it.start();
  await eventually(() => expect(it.polls.other).toBe(2));
  await second.drain();
  expect(it.polls.busy).toBe(1);

  const third = await it.start({ now: () => Date.now() + HOUR });
  await eventually(() => expect(it.polls.busy).toBe(2));
  await third.drain();
});
