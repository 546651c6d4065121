import type { OrgLoopEvent } from "@orgloop/sdk";
import { testEvent } from "@orgloop/testkit";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type ObjectStore, unwrapBody, wrapBody } from "./message-body.ts";

function objectsIn(kept: Map<string, string>): ObjectStore {
  return {
    put: async (key, text) => void kept.set(key, text),
    get: async (key) => kept.get(key) as string,
  };
}

it("a value comes out as it went in, whatever its characters and size, and SQS takes them", async () => {
  // JSON escapes what stands below U+0020 itself.
  const notInXml = /[^ -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.constant("\ufffe\uffff\ud800\u0000"));
  const size = fc.constantFrom(1, 1, 1, 210_000);
  await fc.assert(
    fc.asyncProperty(text, size, async (piece, length) => {
      const kept = new Map<string, string>();
      const event: OrgLoopEvent = testEvent({
        payload: { text: piece.repeat(Math.ceil(length / (piece.length || 1))), [piece]: 1 },
      });
      const body = await wrapBody({ event }, objectsIn(kept), event.id);
      expect(body).not.toMatch(notInXml);
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(200_000);
      expect(await unwrapBody(body, objectsIn(kept))).toEqual({ v: 1, event });
    }),
    { numRuns: 12 },
  );
});

it("what is over 200 KB is one object, however often it is wrapped", async () => {
  const kept = new Map<string, string>();
  const value = { text: "é".repeat(100_000) };
  const bodies = [1, 2].map(() => wrapBody(value, objectsIn(kept), "../evt_1"));
  const [first, second] = await Promise.all(bodies);
  expect(first).toBe(second);
  expect([...kept.keys()]).toEqual([
    expect.stringMatching(/^claims\/___evt_1-[0-9a-f]{64}\.json$/),
  ]);
  expect(JSON.parse(first as string)).toEqual({ v: 1, claim_check: [...kept.keys()][0] });
});

it.each([
  "{",
  "null",
  "[]",
  '{"event":{}}',
  '{"v":2,"event":{}}',
  '{"v":1,"claim_check":7}',
  '{"v":1,"claim_check":"events/2026/x.json"}',
])("a body of another's making is refused: %s", async (body) => {
  await expect(unwrapBody(body, objectsIn(new Map()))).rejects.toMatchObject({
    code: "MESSAGE_UNREADABLE",
  });
});

it("that an object cannot be read now is no fault of the message", async () => {
  const get = () => Promise.reject(new Error("throttled"));
  await expect(unwrapBody('{"v":1,"claim_check":"claims/x"}', { get })).rejects.toThrow(
    "throttled",
  );
});
