import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openFileBus } from "@orgloop/bus/file";
import type { OrgLoopEvent } from "@orgloop/sdk";
import { fileInbox } from "@orgloop/stores";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CrashFacts, lostIn, repeatsIn } from "../campaign/crash-promises.ts";
import type { LeftState } from "../campaign/crash-state.ts";
import { judged, opened } from "../campaign/damage-verdict.ts";

const INBOX = 5;
const ONE = `inbox hook/${INBOX}`;

const state = (unsettled: readonly string[], inbox: readonly string[] = []): LeftState => ({
  checkpoint: 0,
  unsettled: new Set(unsettled),
  inbox: new Set(inbox),
  letters: [],
});

/** Webhook 5, which an inbox takes, was sent in run 0 and drained in these runs. */
const facts = (left: readonly LeftState[], drainedIn: readonly number[]): CrashFacts => ({
  sentIn: new Map([[INBOX, 0]]),
  answered: new Map([[INBOX, "evt_5"]]),
  arrivals: drainedIn.map((run) => ({
    route: "inbox",
    key: `hook/${INBOX}`,
    orderingKey: "k",
    run,
  })),
  left,
});

describe("an inbox entry that came again", () => {
  const none = state([]);
  test.each([
    [
      "twice in a run: unsettled before it, and in its inbox",
      [none, state([ONE], [ONE]), none],
      [1, 1],
    ],
    ["drained, and its removal was not written", [none, state([], [ONE]), none], [0, 1]],
    ["drained, and its delivery was unsettled", [none, state([ONE]), none], [0, 1]],
  ])("is no fault: %s", (_, left, runs) => {
    const { faults, unsettled, drainedAnew, twiceInARun } = repeatsIn(facts(left, runs));
    expect(faults).toEqual([]);
    expect(unsettled + drainedAnew + twiceInARun).toBe(1);
  });

  test.each([
    ["settled, and in no inbox", [none, none, none], [0, 1]],
    ["twice in the run in which it was sent", [none, none], [0, 0]],
    ["twice in a run: only in its inbox", [none, state([], [ONE]), none], [1, 1]],
    ["twice in a run: only unsettled", [none, state([ONE]), none], [1, 1]],
    ["three times in a run", [none, state([ONE], [ONE]), none], [1, 1, 1]],
  ])("is a fault: %s", (_, left, runs) => {
    expect(repeatsIn(facts(left, runs)).faults).toEqual([
      expect.stringMatching(/^repeated: inbox hook\/5 came \d times in run \d, at most \d/),
    ]);
  });
});

test("lost is what is neither with its actor, nor unsettled, nor in an inbox, nor a dead letter", () => {
  const plain = `plain hook/${INBOX}`;
  expect(lostIn(facts([state([plain], [ONE])], []))).toEqual([]);
  expect(lostIn(facts([state([plain])], [0]))).toEqual([]);
  expect(lostIn(facts([state([plain])], []))).toEqual([`lost: ${ONE}`]);
  const letters = [{ event_id: "evt_5", route: null }];
  expect(lostIn(facts([{ ...state([]), letters }], []))).toEqual([]);
});

describe("the last line of a store is cut off after a kill", () => {
  let whole: string;
  beforeEach(async () => {
    whole = await mkdtemp(path.join(tmpdir(), "orgloop-rules-"));
  });
  afterEach(() => rm(whole, { recursive: true }));

  const event = (id: string): OrgLoopEvent => ({
    id,
    timestamp: "2026-01-01T00:00:00.000Z",
    source: "hook",
    type: "resource.changed",
    provenance: { platform: "webhook" },
    payload: { n: INBOX },
    trace_id: "trc_1",
  });

  /** Two entries; the log calls the delivery of the second settled, or does not. */
  async function left({ settled, marked }: { settled: boolean; marked: boolean }) {
    const bus = await openFileBus({ dir: path.join(whole, "wal") });
    if (!settled) await bus.publish(event("evt_2"));
    await bus.close();
    const file = path.join(whole, "inbox/inbox.jsonl");
    const inbox = await fileInbox({ dir: path.dirname(file) });
    const put = (id: string) =>
      inbox.put({
        id: `in_${id}`,
        session_key: "s",
        route: "inbox",
        actor: "agent",
        event: event(id),
        ordering_key: "k",
        queued_at: "2026-01-01T00:00:00.000Z",
        expires_at: "2036-01-01T00:00:00.000Z",
        max_batch: 1,
      });
    await put("evt_1");
    await cp(`${file}.mark`, path.join(whole, "mark"));
    await put("evt_2");
    await inbox.close();
    // As a kill leaves it between the write of a line and that of its mark.
    if (!marked) await cp(path.join(whole, "mark"), `${file}.mark`);
    const bytes = await readFile(file);
    const cut = bytes.subarray(0, bytes.lastIndexOf("\n", -2) + 1);
    const damage = { file: "inbox/inbox.jsonl", kind: "truncated to whole lines" } as const;
    const before = await opened(whole, async () => {});
    expect(before).toMatchObject({ said: [] });
    expect([...before.held.keys()].filter((name) => name.startsWith("inbox"))).toHaveLength(2);
    return judged(whole, before, new Set(), { ...damage, signal: "SIGKILL", bytes: cut });
  }

  test("is no fault, unsaid, where its mark had not reached it and its delivery is open", async () => {
    const { outcome, fault, after } = await left({ settled: false, marked: false });
    expect({ outcome, fault, said: after?.said }).toEqual({
      outcome: "unacknowledged",
      fault: null,
      said: [],
    });
  });

  test("is a fault, unsaid, where the log calls its delivery settled: it had been acknowledged", async () => {
    const { fault } = await left({ settled: true, marked: false });
    expect(fault).toContain("unsaid: not as it was: inbox in_evt_2");
  });

  /** A segment that was just begun, as a kill leaves it before the mark has reached it. */
  async function begun(answered: readonly string[]) {
    const data = path.join(whole, "data");
    const dir = path.join(whole, "wal");
    const bus = await openFileBus({ dir, rotate: { maxBytes: 1 } });
    await bus.publish(event("evt_1"));
    await cp(path.join(dir, "high-water"), path.join(whole, "mark"));
    await bus.publish(event("evt_2"));
    await cp(dir, path.join(data, "wal"), { recursive: true });
    await bus.close();
    await cp(path.join(whole, "mark"), path.join(data, "wal/high-water"));
    const before = await opened(data, async () => {});
    const names = (await readdir(path.join(data, "wal"))).filter((name) =>
      /^\d+.jsonl$/.test(name),
    );
    const file = `wal/${names.sort().at(-1)}`;
    return judged(data, before, new Set(answered), {
      signal: "SIGKILL",
      file,
      kind: "emptied",
      bytes: Buffer.alloc(0),
    });
  }

  test("a whole segment of the log: no fault where none of its events had been answered", async () => {
    expect(await begun(["evt_1"])).toMatchObject({ outcome: "unacknowledged", fault: null });
  });

  test("a whole segment of the log: a fault where one of its events had been answered", async () => {
    const { fault } = await begun(["evt_1", "evt_2"]);
    expect(fault).toContain("unsaid: not as it was: event evt_2");
  });

  test("is said where its mark had reached it", async () => {
    const { outcome, fault, after } = await left({ settled: true, marked: true });
    expect({ outcome, fault }).toEqual({ outcome: "lossy", fault: null });
    expect(after?.said).toEqual([expect.stringContaining("the end is missing")]);
  });
});
