import { knownSecrets } from "@orgloop/engine";
import { PermanentError } from "@orgloop/sdk";
import { storedLetters } from "@orgloop/testkit";
import { expect, test } from "vitest";
import {
  again,
  batchFixture,
  deliveryRecord,
  eventOf,
  QUEUE,
  routeOf,
} from "../delivery/batch-fixture.ts";
import { deliverBatch } from "../delivery/deliver-batch.ts";
import type { ReceivedMessage } from "../queue/received-message.ts";
import { jsonFlowLog } from "./flow-log.ts";

const SECRET = "sk-live-0123456789";

/** A batch whose actor echoes the secret that its function holds. */
async function echoed(error: (text: string) => Error) {
  const it = batchFixture(async () => {
    throw error(`answered 500: authorization: Bearer ${SECRET}`);
  });
  const known = knownSecrets();
  known.learn("actor", [SECRET]);
  const deliver = (received: ReceivedMessage) =>
    deliverBatch([received], QUEUE, () => 60_000, { ...it.delivering, known });
  const event = eventOf("1", { payload: { text: SECRET } });
  const record = await deliveryRecord(it, event, routeOf());
  await deliver(record);
  return { ...it, record, deliver };
}

test("what an actor echoes is neither in the log nor in what is remembered of an attempt", async () => {
  const it = await echoed((text) => new Error(text));
  const reported = JSON.stringify([it.entries, [...it.attempts.records]]);
  expect(reported).toContain("Bearer ***");
  expect(reported).not.toContain(SECRET);
  await it.deliver(again(it.record));
  expect(JSON.stringify(it.entries)).not.toContain(SECRET);
});

test("a dead letter says it without the secret and keeps the event as it is", async () => {
  const it = await echoed((text) => new PermanentError(text));
  const [letter] = await storedLetters(it.deadLetters);
  expect(letter).toMatchObject({
    reason: "permanent",
    last_error: "answered 500: authorization: Bearer ***",
    first_error: "answered 500: authorization: Bearer ***",
    event: { payload: { text: SECRET } },
  });
});

test("a line of a function's log says what went wrong without secrets", () => {
  const lines: string[] = [];
  const flow = jsonFlowLog({
    stage: "s",
    project: "p",
    level: "info",
    now: () => 0,
    write: (line) => void lines.push(line),
    metrics: () => undefined,
    mask: (text) => text.replaceAll(SECRET, "***"),
  });
  flow.log({ phase: "source.error", source: "hub", error: `401 for ${SECRET}` });
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ error: "401 for ***", source: "hub" });
});
