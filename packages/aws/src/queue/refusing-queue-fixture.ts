import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { SQSClient } from "@aws-sdk/client-sqs";
import { onTestFinished } from "vitest";
import { sqsSender } from "./sqs-sender.ts";

export interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageGroupId: string;
}
interface Refusal {
  readonly Code: string;
  readonly SenderFault: boolean;
  /** Default "". */
  readonly Message?: string;
}

/** A queue over SQS's JSON protocol that takes batches of any kind, and refuses entries as told. */
export async function batchQueue<One extends { readonly Id: string }>(
  refusal: (entry: One) => Refusal | null,
) {
  const calls: One[][] = [];
  const server = createServer(async (request, response) => {
    const { Entries } = (await json(request)) as { Entries: One[] };
    calls.push(Entries);
    const Successful: object[] = [];
    const Failed: object[] = [];
    for (const entry of Entries) {
      const { Id } = entry;
      const refused = refusal(entry);
      if (refused === null) Successful.push({ Id, MessageId: Id });
      else Failed.push({ Id, Message: "", ...refused });
    }
    response.setHeader("content-type", "application/x-amz-json-1.0");
    response.end(JSON.stringify({ Successful, Failed }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const sqs = new SQSClient({ endpoint, region: "eu-west-1", credentials, md5: false });
  onTestFinished(async () => {
    sqs.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return { calls, sqs, url: `${endpoint}/1/q.fifo` };
}

/** A queue to send to that refuses messages as told. */
export async function refusingQueue(refusal: (entry: Entry) => Refusal | null) {
  const taken = new Map<string, string[]>();
  const { calls, sqs, url } = await batchQueue((entry: Entry) => {
    const refused = refusal(entry);
    const { MessageGroupId, MessageBody } = entry;
    if (refused === null) {
      taken.set(MessageGroupId, [...(taken.get(MessageGroupId) ?? []), MessageBody]);
    }
    return refused;
  });
  const sender = sqsSender({ sqs, retryDelayMs: () => 0 });
  return { calls, taken, sender, url };
}
