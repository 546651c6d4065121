import { expect, test } from "vitest";
import { completeEvent } from "./publication.ts";

const options = {
  source: "github",
  module: "acme",
  nowMs: Date.parse("2026-11-01T00:00:00Z"),
  randomHex: () => "0123456789abcdef",
};
const draft = { provenance: { platform: "github" }, payload: { a: 1 } };

test("the same identity at the same source is the same event, at another source another", () => {
  const one = completeEvent({ ...draft, identity: "issue/1@2" }, options);
  expect(completeEvent({ ...draft, identity: "issue/1@2" }, { ...options, nowMs: 0 }).id).toBe(
    one.id,
  );
  expect(completeEvent({ ...draft, identity: "issue/1@3" }, options).id).not.toBe(one.id);
  expect(
    completeEvent({ ...draft, identity: "issue/1@2" }, { ...options, source: "x" }).id,
  ).not.toBe(one.id);
  expect(one.id).toMatch(/^evt_[a-zA-Z0-9]+$/);
});

test("what the source leaves out is filled in, what it gives is kept", () => {
  expect(completeEvent(draft, options)).toEqual({
    id: "evt_0123456789abcdef",
    timestamp: "2026-11-01T00:00:00.000Z",
    source: "github",
    type: "resource.changed",
    provenance: { platform: "github" },
    payload: { a: 1 },
    trace_id: "trc_0123456789abcdef",
    module: "acme",
  });
  const given = {
    id: "evt_given",
    timestamp: "2020-01-01T00:00:00Z",
    type: "message.received",
    trace_id: "trc_given",
    ordering_key: "k",
  } as const;
  expect(completeEvent({ ...draft, ...given }, options)).toMatchObject(given);
});
