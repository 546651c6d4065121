import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sampleDelivery } from "../delivery/sample-delivery.ts";
import {
  drainAnswer,
  drainSize,
  expiredInboxLetter,
  inboxEntry,
  inboxNotification,
  inboxTerms,
  isInboxNotice,
  noticeDelivery,
  withNoticeKey,
} from "./inbox.ts";
import { changeInbox, EMPTY_INBOX, type InboxChange, type InboxState } from "./inbox-session.ts";

const sample = sampleDelivery("r", "k", "evt_1", 0);
const terms = (config: Record<string, unknown>) => inboxTerms({ ...sample, config });

describe("which deliveries go to an inbox", () => {
  test("those with `inbox: true` and a session key that is not empty", () => {
    expect(terms({ inbox: true, session_key: "agent:7" })).toEqual({
      sessionKey: "agent:7",
      ttlMs: 3_600_000,
      maxBatch: 100,
    });
    for (const config of [{}, { inbox: "true", session_key: "a" }, { inbox: true }]) {
      expect(terms(config)).toBeNull();
    }
    expect(terms({ inbox: true, session_key: "" })).toBeNull();
  });

  test("TTL and batch as the route says, where it has sense", () => {
    const key = { inbox: true, session_key: "a" };
    const set = terms({ ...key, inbox_ttl: "30s", inbox_max_batch: 5 });
    expect(set).toMatchObject({ ttlMs: 30_000, maxBatch: 5 });
    const senseless = terms({ ...key, inbox_ttl: "soon", inbox_max_batch: -1 });
    expect(senseless).toMatchObject({ ttlMs: 3_600_000, maxBatch: 100 });
    expect(terms({ ...key, inbox_max_batch: 1e9 })).toMatchObject({ maxBatch: 1_000 });
  });
});

test("an entry is known by its event, route and replay", () => {
  const at = { sessionKey: "a", ttlMs: 1_000, maxBatch: 9 };
  const entry = inboxEntry(sample, at, 5_000);
  expect(entry).toMatchObject({
    queued_at: "1970-01-01T00:00:05.000Z",
    expires_at: "1970-01-01T00:00:06.000Z",
    max_batch: 9,
    ordering_key: "k",
  });
  expect(inboxEntry(sample, at, 9_999).id).toBe(entry.id);
  for (const other of [
    { ...sample, route: "q" },
    { ...sample, replay: 1 },
  ]) {
    expect(inboxEntry(other, at, 5_000).id).not.toBe(entry.id);
  }
});

test("a notification goes the way of its first event, with the session as its key; elsewhere it says where to drain", () => {
  const notice = { sessionKey: "a", pending: 1, oldest: sample.event, nowMs: 7_000 };
  const to = { route: "r", actor: "agent", config: { session_key: "{{x}}", tone: "calm" } };
  const delivery = noticeDelivery({ ...notice, ...to, workspace: "prod" });
  expect(delivery).toMatchObject({
    event: {
      payload: { drain_command: `orgloop inbox drain --workspace prod --key "a" --format json` },
    },
    orderingKey: "inbox/a",
    config: { session_key: "a", tone: "calm" },
    replay: 0,
  });
  const replayed = { ...delivery, config: { session_key: "", tone: "calm" } };
  expect(withNoticeKey(replayed)).toEqual(delivery);
  expect(withNoticeKey(sample)).toBe(sample);
});

test("what nobody fetched is a letter of its event and route, whichever host buries it", () => {
  const entry = inboxEntry(sample, { sessionKey: "a", ttlMs: 1_000, maxBatch: 9 }, 5_000);
  const letter = expiredInboxLetter(entry, 6_000);
  expect(letter).toMatchObject({ reason: "expired", attempts: 0, route: "r", ordering_key: "k" });
  expect(letter.last_error).toContain("inbox of a");
  expect(expiredInboxLetter(entry, 9_000).id).toBe(letter.id);
});

test("a drain takes what it is asked for, within bounds, and says what is left", () => {
  const entry = inboxEntry(sample, { sessionKey: "a", ttlMs: 1_000, maxBatch: 9 }, 5_000);
  expect([drainSize(3, entry), drainSize(undefined, entry), drainSize(1e6, entry)]).toEqual([
    3, 9, 1_000,
  ]);
  expect(drainAnswer([entry], 3)).toEqual({
    events: [sample.event],
    remaining: 2,
    continuation: entry.id,
  });
  expect(drainAnswer([entry], 1)).toMatchObject({ remaining: 0, continuation: null });
});

test("the notification, and that it does not go to the inbox itself", () => {
  const notice = { sessionKey: "a b's", pending: 3, oldest: sample.event, nowMs: 7_000 };
  const event = inboxNotification(notice);
  expect(event).toMatchObject({
    source: "orgloop",
    type: "message.received",
    trace_id: "trc_1",
    payload: {
      kind: "inbox.notification",
      pending_count: 3,
      session_key: "a b's",
      oldest_event_at: sample.event.timestamp,
      drain_command: `orgloop inbox drain --key 'a b'\\''s' --format json`,
    },
  });
  expect(isInboxNotice(event)).toBe(true);
  expect(inboxTerms({ ...sample, event, config: { inbox: true, session_key: "a" } })).toBeNull();
});

test("whatever stands in a session key, a shell takes it for one word", () => {
  const hostile = fc.array(
    fc.constantFrom("a", " ", "'", '"', "$(echo x)", "`id`", "\\", ";", "\n", "!", "*", "$HOME"),
    { minLength: 1, maxLength: 6 },
  );
  const drained = (key: string) =>
    inboxNotification({ sessionKey: key, pending: 1, oldest: sample.event, nowMs: 0 }).payload
      .drain_command;
  fc.assert(
    fc.property(hostile, (parts) => {
      const key = parts.join("");
      const script = String(drained(key)).replace("orgloop inbox drain --key", "printf %s.");
      const printed = execFileSync("/bin/sh", ["-c", script.replace("--format json", "")]);
      expect(printed.toString()).toBe(`${key}.`);
    }),
    { numRuns: 20 },
  );
});

describe("one notification until the inbox is drained", () => {
  const reported = (...kinds: (InboxChange["kind"] | InboxChange)[]) => {
    let state: InboxState = EMPTY_INBOX;
    return kinds.map((kind) => {
      const change = (typeof kind === "string" ? { kind } : kind) as InboxChange;
      const step = changeInbox(state, change);
      state = step.state;
      return step.notify;
    });
  };

  test("the first event tells, the others do not; after a drain the next one does", () => {
    const drained = { kind: "drained", count: 3 } as const;
    expect(reported("queued", "queued", "notice_delivered", "queued", drained, "queued")).toEqual([
      ...[true, false, false, false, false, true],
    ]);
  });

  test("a drain that leaves some tells of these", () => {
    const drained = { kind: "drained", count: 1 } as const;
    expect(reported("queued", "queued", "notice_delivered", drained)[3]).toBe(true);
  });

  test("drained while it was being told: what came after that is told when it has ended", () => {
    const drained = { kind: "drained", count: 1 } as const;
    expect(reported("queued", drained, "queued", "notice_delivered")).toEqual([
      ...[true, false, false, true],
    ]);
    expect(reported("queued", drained, "notice_delivered", "queued")).toEqual([
      ...[true, false, false, true],
    ]);
  });

  test("a notification that was given up is tried again by the next event", () => {
    expect(reported("queued", "notice_failed", "queued")).toEqual([true, false, true]);
  });

  test("held in every order of what can happen", () => {
    const change = fc.oneof(
      fc.constant({ kind: "queued" } as const),
      fc.record({ kind: fc.constant("drained" as const), count: fc.nat(3) }),
      fc.record({ kind: fc.constant("expired" as const), count: fc.nat(2) }),
      fc.constant({ kind: "notice_delivered" } as const),
      fc.constant({ kind: "notice_failed" } as const),
      fc.constant({ kind: "resumed" } as const),
    );
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        let state: InboxState = EMPTY_INBOX;
        let inFlight = false;
        let givenUp = false;
        for (const next of changes) {
          const ends = next.kind === "notice_delivered" || next.kind === "notice_failed";
          if (ends && !inFlight) continue;
          if (ends) inFlight = false;
          const step = changeInbox(state, next);
          state = step.state;
          // Never two at a time, none of an empty inbox.
          if (step.notify) expect([inFlight, state.pending > 0]).toEqual([false, true]);
          inFlight ||= step.notify;
          givenUp = next.kind === "notice_failed" || (givenUp && !step.notify);
          // Something waits: the actor knows, is being told, or could not be told.
          if (state.pending > 0 && !givenUp) expect(state.notice).not.toBe("none");
          if (state.pending === 0) expect(state.notice).not.toBe("sent");
          expect(state.notice === "sending" || state.notice === "stale").toBe(inFlight);
        }
      }),
    );
  });
});
