import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  paginateListQueues,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import { type DeadLetter, type DeadLetterSummary, summaryOf } from "@orgloop/sdk";
import { awsCalls } from "./aws-calls.ts";
import type { OpenStage } from "./open-stage.ts";
import { queueCounts } from "./queue-counts.ts";
import { redrivenLetter } from "./redriven-letter.ts";

/**
 * Names of the stage's dead-letter queues: the bus's, and the actors', also of those that were
 * removed.
 */
export async function deadLetterQueues({ sqs, names }: OpenStage): Promise<readonly string[]> {
  const found = [names.busDlq];
  const query = { QueueNamePrefix: names.actorPrefix, MaxResults: 1000 };
  for await (const { QueueUrls = [] } of paginateListQueues({ client: sqs }, query)) {
    for (const url of QueueUrls) {
      if (url.endsWith("-dlq.fifo")) found.push(url.slice(url.lastIndexOf("/") + 1));
    }
  }
  return found;
}

/** The letter of that id that lies in a dead-letter queue, where SQS shows it; it stays there. */
export async function findRedriven(stage: OpenStage, id: string): Promise<DeadLetter | null> {
  let found: DeadLetter | null = null;
  await lookThrough(stage, (letter) => {
    if (letter.id === id) found = letter;
  });
  return found;
}

/**
 * What lies in the dead-letter queues, as letters are listed; it stays there. Of a message group
 * SQS shows no more than one batch at a time: that there is more, `hidden` counts.
 */
export async function peekRedriven(
  stage: OpenStage,
): Promise<{ readonly letters: readonly DeadLetterSummary[]; readonly hidden: number }> {
  const letters: DeadLetterSummary[] = [];
  const hidden = await lookThrough(stage, (letter) => letters.push(summaryOf(letter)));
  return { letters, hidden };
}

/** Resolves with how many SQS has not shown. */
async function lookThrough(
  stage: OpenStage,
  onLetter: (letter: DeadLetter) => void,
): Promise<number> {
  const queues = await awsCalls().map(await deadLetterQueues(stage), async (name) => {
    const { waiting } = await queueCounts(stage, name);
    if (waiting === 0) return 0;
    const batches: (readonly Message[])[] = [];
    let seen = 0;
    try {
      for (let batch = await receive(stage, name); batch.length > 0; ) {
        // Without what they hold.
        batches.push(batch.map(({ ReceiptHandle }) => ({ ReceiptHandle }) as Message));
        for (const message of batch) onLetter(await redrivenLetter(stage, name, message));
        seen += batch.length;
        batch = await receive(stage, name);
      }
    } finally {
      for (const batch of batches) await release(stage, name, batch);
    }
    return Math.max(0, waiting - seen);
  });
  return queues.reduce((sum, hidden) => sum + hidden, 0);
}

/**
 * Moves what lies in the dead-letter queues to the dead letters: each is in the table before it
 * leaves its queue.
 */
export async function collectRedriven(
  stage: OpenStage,
  put: (letter: DeadLetter) => Promise<void>,
): Promise<void> {
  await awsCalls().map(await deadLetterQueues(stage), async (name) => {
    const { waiting } = await queueCounts(stage, name);
    if (waiting === 0) return;
    for (let batch = await receive(stage, name); batch.length > 0; ) {
      for (const message of batch) await put(await redrivenLetter(stage, name, message));
      await remove(stage, name, batch);
      batch = await receive(stage, name);
    }
  });
}

/**
 * Longer than reading or moving a queue's messages takes; who dies meanwhile hides them as long.
 */
const HIDDEN_S = 60;

async function receive({ sqs, queueUrl }: OpenStage, name: string): Promise<readonly Message[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl: queueUrl(name),
    MaxNumberOfMessages: 10,
    VisibilityTimeout: HIDDEN_S,
    // Long polling asks all of SQS's servers (AWS, SQS short and long polling).
    WaitTimeSeconds: 1,
    MessageSystemAttributeNames: ["All"],
  });
  return (await sqs.send(command)).Messages ?? [];
}

const entriesOf = (batch: readonly Message[]) =>
  batch.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));

async function release({ sqs, queueUrl }: OpenStage, name: string, batch: readonly Message[]) {
  const Entries = entriesOf(batch).map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
  await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl(name), Entries }));
}

async function remove({ sqs, queueUrl }: OpenStage, name: string, batch: readonly Message[]) {
  const Entries = entriesOf(batch);
  await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl(name), Entries }));
}
