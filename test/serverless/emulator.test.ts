import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect, inject, test } from "vitest";
import { clientConfig } from "../emulators/client-config.ts";

test("MiniStack runs for these tests, as an account of its own", async () => {
  const emulator = inject("aws");
  const sqs = new SQSClient(clientConfig(emulator));
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({ QueueName: "emulator.fifo", Attributes: { FifoQueue: "true" } }),
  );
  expect(QueueUrl).toBe(`${emulator.endpoint}/${emulator.env.AWS_ACCESS_KEY_ID}/emulator.fifo`);
  const message = { MessageBody: "x", MessageGroupId: "group", MessageDeduplicationId: "once" };
  const sent = await sqs.send(new SendMessageCommand({ QueueUrl, ...message }));
  expect(sent.SequenceNumber).toBeDefined();
  sqs.destroy();
});
