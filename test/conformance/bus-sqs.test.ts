import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { objectStore, sqsBus } from "@orgloop/bus/sqs";
import { eventDedupId, messageGroup } from "@orgloop/config/aws";
import type { SettlingEventBus } from "@orgloop/sdk";
import { busSuite, testEvent } from "@orgloop/testkit";
import { afterAll, expect, inject, test } from "vitest";
import { clientConfig } from "../emulators/client-config.ts";

const VISIBILITY_SECONDS = 3;
const PATIENCE = { timeout: 30_000 };

/** A process's own clients: dead, they send nothing more. */
interface Process {
  readonly queueUrl: string;
  readonly bucket: string;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  readonly calls: Set<Promise<unknown>>;
  dead: boolean;
}

const processes = new Map<SettlingEventBus, Process>();
const config = clientConfig(inject("aws"));

function startOn(
  { queueUrl, bucket }: Pick<Process, "queueUrl" | "bucket">,
  onError?: (error: unknown) => void,
): SettlingEventBus {
  const sqs = new SQSClient(config);
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const running: Process = { queueUrl, bucket, sqs, s3, calls: new Set(), dead: false };
  sqs.middlewareStack.add((next) => async (args) => {
    if (running.dead) return new Promise(() => undefined);
    const call = next(args);
    running.calls.add(call);
    try {
      return await call;
    } finally {
      running.calls.delete(call);
    }
  });
  const objects = objectStore({ s3, bucket });
  const bus = sqsBus({
    ...{ sqs, queueUrl, objects, messageGroup, eventDedupId },
    ...{ visibilitySeconds: VISIBILITY_SECONDS, waitSeconds: 1 },
    ...(onError === undefined ? {} : { onError }),
  });
  processes.set(bus, running);
  return bus;
}

async function createStorage(): Promise<Pick<Process, "queueUrl" | "bucket">> {
  const name = `bus-${randomUUID()}`;
  const sqs = new SQSClient(config);
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  const Attributes = {
    FifoQueue: "true",
    DeduplicationScope: "messageGroup",
    FifoThroughputLimit: "perMessageGroupId",
  };
  const { QueueUrl = "" } = await sqs.send(
    new CreateQueueCommand({ QueueName: `${name}.fifo`, Attributes }),
  );
  sqs.destroy();
  s3.destroy();
  return { queueUrl: QueueUrl, bucket: name };
}

/** Nothing of the dead process reaches SQS any more, and what it was asking for has come before the next one starts. */
async function crash(bus: SettlingEventBus): Promise<SettlingEventBus> {
  const died = processes.get(bus) as Process;
  died.dead = true;
  await Promise.allSettled(died.calls);
  return startOn(died);
}

afterAll(() => {
  for (const { sqs, s3 } of processes.values()) {
    sqs.destroy();
    s3.destroy();
  }
});

const open = async () => startOn(await createStorage());

busSuite({ name: "sqs", open, crash, patienceMs: PATIENCE.timeout });

test("what one process holds stays hidden from another, and comes to it in order when the first closes", async () => {
  const storage = await createStorage();
  const events = [testEvent(), testEvent(), testEvent()];
  const [first, second] = [startOn(storage), startOn(storage)];
  await first.publishAll(events);
  first.subscribe({}, async () => undefined);
  await expect.poll(first.unacked, PATIENCE).toEqual(events);
  const handed: string[] = [];
  const other = testEvent({ source: "other" });
  second.subscribe({}, async ({ id }) => void handed.push(id));
  // Longer than the visibility timeout: only renewing it keeps the events hidden.
  await wait(VISIBILITY_SECONDS * 1_500);
  await first.close();
  await second.publish(other);
  const ids = events.map(({ id }) => id);
  await expect.poll(() => handed.filter((id) => id !== other.id), PATIENCE).toEqual(ids);
  await second.close();
});

test("a message of another's making is reported and holds up no event", async () => {
  const storage = await createStorage();
  const errors: unknown[] = [];
  const bus = startOn(storage, (error) => errors.push(error));
  const event = testEvent();
  const sqs = new SQSClient(config);
  const MessageGroupId = messageGroup(event.source);
  const message = { MessageBody: "hello", MessageGroupId, MessageDeduplicationId: "1" };
  await sqs.send(new SendMessageCommand({ QueueUrl: storage.queueUrl, ...message }));
  sqs.destroy();
  await bus.publish(event);
  bus.subscribe({}, async () => undefined);
  await expect.poll(bus.unacked, PATIENCE).toEqual([event]);
  expect(errors[0]).toMatchObject({ code: "MESSAGE_UNREADABLE" });
  await bus.close();
});
