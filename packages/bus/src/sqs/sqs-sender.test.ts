import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { SQSClient } from "@aws-sdk/client-sqs";
import fc from "fast-check";
import { afterEach, expect, it } from "vitest";
import { BATCH_BYTES, type FifoMessage } from "./next-batch.ts";
import { sqsSender } from "./sqs-sender.ts";

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageGroupId: string;
}
type Refusal = { readonly Code: string; readonly SenderFault: boolean } | null;

const opened: { server: Server; sqs: SQSClient }[] = [];
afterEach(async () => {
  for (const { server, sqs } of opened.splice(0)) {
    sqs.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
});

/** A queue over SQS's JSON protocol that refuses entries as told. */
async function queue(refusal: (entry: Entry) => Refusal) {
  const calls: Entry[][] = [];
  const server = createServer(async (request, response) => {
    const { Entries } = (await json(request)) as { Entries: Entry[] };
    calls.push(Entries);
    const Successful: object[] = [];
    const Failed: object[] = [];
    for (const entry of Entries) {
      const { Id, MessageGroupId, MessageBody } = entry;
      const refused = refusal(entry);
      if (refused === null) {
        Successful.push({ Id, MessageId: Id });
        taken.set(MessageGroupId, [...(taken.get(MessageGroupId) ?? []), MessageBody]);
      } else Failed.push({ Id, Message: "", ...refused });
    }
    response.setHeader("content-type", "application/x-amz-json-1.0");
    response.end(JSON.stringify({ Successful, Failed }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const sqs = new SQSClient({ endpoint, region: "eu-west-1", credentials, md5: false });
  opened.push({ server, sqs });
  const taken = new Map<string, string[]>();
  const sender = sqsSender({ sqs, retryDelayMs: () => 0 });
  return { calls, taken, sender, url: `${endpoint}/1/q.fifo` };
}

const message = (group: string, body: string): FifoMessage => ({ group, body, dedupId: body });

it("what a call leaves out goes again, and a group keeps its order whatever is left out", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 12 }),
      fc.infiniteStream(fc.nat(3)),
      async (groups, chance) => {
        const throttled = { Code: "RequestThrottled", SenderFault: false };
        const refused = new Map<string, number>();
        const { sender, taken, url } = await queue(({ MessageBody }) => {
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
  const { sender, calls, url } = await queue(() => null);
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
  const { sender, taken, url } = await queue(({ MessageBody }) =>
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
  const { sender, calls, url } = await queue(() => ({ Code: "Throttled", SenderFault: false }));
  await expect(sender.sendAll(url, [message("a", "1")])).rejects.toThrow("Throttled");
  expect(calls).toHaveLength(5);
});
