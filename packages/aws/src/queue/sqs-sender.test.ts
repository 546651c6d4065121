import fc from "fast-check";
import { expect, it } from "vitest";
import { refusingQueue } from "./refusing-queue-fixture.ts";
import { BATCH_BYTES, type FifoMessage } from "./sqs-sender.ts";

const message = (group: string, body: string): FifoMessage => ({ group, body, dedupId: body });

it("what a call leaves out goes again, and a group keeps its order whatever is left out", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 12 }),
      fc.infiniteStream(fc.nat(3)),
      async (groups, chance) => {
        const throttled = { Code: "RequestThrottled", SenderFault: false };
        const refused = new Map<string, number>();
        const { sender, taken, url } = await refusingQueue(({ MessageBody }) => {
          const times = refused.get(MessageBody) ?? (chance.next().value as number);
          refused.set(MessageBody, times - 1);
          return times > 0 ? throttled : null;
        });
        const messages = groups.map((group, index) => message(group, String(index)));
        await sender.sendAll(url, messages);
        for (const group of new Set(groups)) {
          const sent = messages.filter((each) => each.group === group).map(({ body }) => body);
          expect(taken.get(group)).toEqual(sent);
        }
      },
    ),
    { numRuns: 20 },
  );
});

it("a call takes ten messages and a mebibyte at most", async () => {
  const { sender, calls, url } = await refusingQueue(() => null);
  const bodies = Array.from({ length: 25 }, (_, n) => String(n).padEnd(n % 3 ? 10 : 190_000, "."));
  await sender.sendAll(
    url,
    bodies.map((body, n) => message(`group-${n}`, body)),
  );
  expect(calls.flat()).toHaveLength(25);
  for (const entries of calls) {
    expect(entries.length).toBeLessThanOrEqual(10);
    const bytes = entries.reduce((sum, { MessageBody }) => sum + MessageBody.length, 0);
    expect(bytes).toBeLessThanOrEqual(BATCH_BYTES);
  }
});

it("what is refused for good stops its group, not the others, and says so", async () => {
  const { sender, taken, url } = await refusingQueue(({ MessageBody }) =>
    MessageBody === "a2" ? { Code: "InvalidMessageContents", SenderFault: true } : null,
  );
  const messages = ["a1", "b1", "a2", "a3", "b2"].map((body) => message(body.charAt(0), body));
  const outcomes = await sender.sendEach(url, messages);
  expect(outcomes.map((outcome) => outcome === null)).toEqual([true, true, false, false, true]);
  expect(Object.fromEntries(taken)).toEqual({ a: ["a1"], b: ["b1", "b2"] });
  await expect(sender.sendAll(url, messages)).rejects.toMatchObject({
    code: "QUEUE_REFUSED",
    message: expect.stringContaining("InvalidMessageContents"),
  });
});

it("what stays refused is given up after some attempts", async () => {
  const { sender, calls, url } = await refusingQueue(() => ({
    Code: "Throttled",
    SenderFault: false,
  }));
  await expect(sender.sendAll(url, [message("a", "1")])).rejects.toThrow("Throttled");
  expect(calls).toHaveLength(5);
});
