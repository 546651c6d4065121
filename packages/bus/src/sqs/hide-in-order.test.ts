import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { SQSClient } from "@aws-sdk/client-sqs";
import { expect, it, onTestFinished } from "vitest";
import { hideInOrder } from "./hide-in-order.ts";

interface Entry {
  readonly Id: string;
  readonly ReceiptHandle: string;
  readonly VisibilityTimeout: number;
}

/** A queue over SQS's JSON protocol that fails the handles in `codes`. */
async function queue(codes: Readonly<Record<string, string>> = {}) {
  const calls: Entry[][] = [];
  const server = createServer(async (request, response) => {
    const { Entries } = (await json(request)) as { Entries: Entry[] };
    calls.push(Entries);
    const Failed = Entries.flatMap(({ Id, ReceiptHandle }) => {
      const Code = codes[ReceiptHandle];
      return Code === undefined ? [] : { Id, Code, SenderFault: true, Message: "as told" };
    });
    response.writeHead(200, { "content-type": "application/x-amz-json-1.0" });
    response.end(JSON.stringify({ Successful: [], Failed }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const sqs = new SQSClient({ endpoint, region: "us-east-1", credentials });
  onTestFinished(async () => {
    sqs.destroy();
    server.close();
    await once(server, "close");
  });
  return { calls, options: { sqs, queueUrl: `${endpoint}/000000000000/queue` } };
}

it("the last is hidden first and the head last, for the same time", async () => {
  const { calls, options } = await queue();
  const handles = Array.from({ length: 23 }, (_, n) => `handle-${n}`);
  await hideInOrder(options, handles, 1.5);
  expect(calls.map(({ length }) => length)).toEqual([10, 10, 3]);
  expect(calls.flat().map(({ ReceiptHandle }) => ReceiptHandle)).toEqual(handles.toReversed());
  expect(new Set(calls.flat().map(({ VisibilityTimeout }) => VisibilityTimeout))).toEqual(
    new Set([2]),
  );
});

it("what is no longer in flight is left alone; anything else that is refused is told", async () => {
  const gone = await queue({ a: "MessageNotInflight", b: "ReceiptHandleIsInvalid" });
  await hideInOrder(gone.options, ["a", "b", "c"], 1);
  const denied = await queue({ b: "AccessDenied" });
  await expect(hideInOrder(denied.options, ["a", "b"], 1)).rejects.toMatchObject({
    code: "NOT_HIDDEN",
    message: "SQS: AccessDenied: as told",
  });
});
