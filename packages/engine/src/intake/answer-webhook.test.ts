import type { Source } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { systemClock } from "../ports/clock.ts";
import { answerWebhook } from "./answer-webhook.ts";

const draft = { type: "resource.changed", provenance: { platform: "x" }, payload: {} } as const;

function send(receive: NonNullable<Source["receive"]>, receiveMs?: number) {
  const kept: unknown[] = [];
  const logged: unknown[] = [];
  const answer = answerWebhook({
    id: "hook",
    method: "POST",
    source: { receive },
    header: () => undefined,
    takesFromPages: () => true,
    read: async () => ({ method: "POST", headers: {}, query: {}, body: new Uint8Array() }),
    bodyLimit: 100,
    timers: systemClock.timers,
    ...(receiveMs !== undefined && { receiveMs }),
    keep: async (drafts) => {
      kept.push(...drafts);
      return { events: [], repeats: [], unfit: [] };
    },
    log: (entry) => logged.push(entry),
    mask: (text) => text,
  });
  return { answer, kept, logged };
}

test("a source that never answers is given up on, and its sender hears it", async () => {
  const late = Promise.withResolvers<readonly (typeof draft)[]>();
  const { answer, kept, logged } = send(() => late.promise, 20);
  expect(await answer).toMatchObject({
    status: 500,
    body: { error: "the source gave no answer within 20ms" },
  });
  expect(logged).toMatchObject([{ phase: "source.refused", source: "hook" }]);
  late.resolve([draft]);
  await late.promise;
  expect(kept).toEqual([]);
});

test("within its time its events are kept", async () => {
  const { answer, kept } = send(async () => [draft]);
  expect(await answer).toMatchObject({ status: 200 });
  expect(kept).toEqual([draft]);
});
