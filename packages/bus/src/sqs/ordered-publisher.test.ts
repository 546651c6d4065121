import { testEvent } from "@orgloop/testkit";
import { expect, it } from "vitest";
import { orderedPublisher } from "./ordered-publisher.ts";
import { refusingQueue } from "./refusing-queue-fixture.ts";

const objects = {
  put: () => Promise.reject(new Error("no bucket")),
  get: () => Promise.reject(new Error("no bucket")),
};

async function publisher(refused: ReadonlySet<string> = new Set()) {
  const queue = await refusingQueue(({ MessageBody }) =>
    refused.has(JSON.parse(MessageBody).event.id) ? { Code: "Refused", SenderFault: true } : null,
  );
  const { publish, drained } = orderedPublisher({
    sender: queue.sender,
    queueUrl: queue.url,
    objects,
    messageGroup: (source) => source,
    eventDedupId: ({ id }) => id,
  });
  const idsOf = (source: string) =>
    (queue.taken.get(source) ?? []).map((body) => JSON.parse(body).event.id);
  return { publish, drained, idsOf };
}

it("calls at the same time are sent in their order", async () => {
  const { publish, idsOf } = await publisher();
  const events = Array.from({ length: 30 }, () => testEvent({ source: "a" }));
  await Promise.all(events.map((event) => publish([event])));
  expect(idsOf("a")).toEqual(events.map(({ id }) => id));
});

it("a call hears only of its own events; what stands behind a refused one of its source is not sent", async () => {
  const [a1, a2, b1] = [
    testEvent({ source: "a" }),
    testEvent({ source: "a" }),
    testEvent({ source: "b" }),
  ];
  const { publish, drained, idsOf } = await publisher(new Set([a1.id]));
  const calls = [
    publish([testEvent({ source: "c" })]),
    publish([a1]),
    publish([b1, a2]),
    publish([b1]),
  ];
  const outcomes = await Promise.allSettled(calls);
  expect(outcomes.map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "rejected",
    "fulfilled",
  ]);
  expect(idsOf("a")).toEqual([]);
  await drained();
});

it("what cannot be put beside the queue is refused, and the next call goes on", async () => {
  const { publish, idsOf } = await publisher();
  const long = testEvent({ source: "a", payload: { text: "x".repeat(300_000) } });
  const short = testEvent({ source: "a" });
  await expect(publish([long])).rejects.toThrow("no bucket");
  await publish([short]);
  expect(idsOf("a")).toEqual([short.id]);
});
