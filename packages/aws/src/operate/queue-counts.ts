import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { awsCalls } from "./aws-calls.ts";
import { isMissing } from "./aws-errors.ts";
import type { OpenStage } from "./open-stage.ts";

/** What SQS says of a queue, approximately. */
export interface QueueCounts {
  readonly waiting: number;
  /** Received and not yet settled: under way, or hidden until its time comes. */
  readonly inFlight: number;
  /** There is no such queue. */
  readonly missing?: true;
}

const NOTHING: QueueCounts = { waiting: 0, inFlight: 0 };
const MISSING: QueueCounts = { ...NOTHING, missing: true };

/** Zeros where there is no such queue. */
export async function queueCounts(
  { sqs, queueUrl }: Pick<OpenStage, "sqs" | "queueUrl">,
  name: string,
): Promise<QueueCounts> {
  const command = new GetQueueAttributesCommand({
    QueueUrl: queueUrl(name),
    AttributeNames: [
      "ApproximateNumberOfMessages",
      "ApproximateNumberOfMessagesDelayed",
      "ApproximateNumberOfMessagesNotVisible",
    ],
  });
  try {
    const { Attributes = {} } = await sqs.send(command);
    const count = (kind: "" | "Delayed" | "NotVisible") =>
      Number(Attributes[`ApproximateNumberOfMessages${kind}`] ?? 0);
    return { waiting: count("") + count("Delayed"), inFlight: count("NotVisible") };
  } catch (error) {
    if (isMissing(error)) return MISSING;
    throw error;
  }
}

/** Of the queues named, by their names. */
export async function countQueues(
  stage: Pick<OpenStage, "sqs" | "queueUrl">,
  queues: readonly string[],
): Promise<(name: string) => QueueCounts> {
  const counts = await awsCalls().map(
    queues,
    async (name) => [name, await queueCounts(stage, name)] as const,
  );
  const byName = new Map(counts);
  return (name) => byName.get(name) ?? NOTHING;
}

/** Of actors, by their ids. */
export async function actorQueueCounts(
  stage: OpenStage,
  actors: readonly string[],
): Promise<ReadonlyMap<string, QueueCounts>> {
  const { actorQueue } = stage.names;
  const countOf = await countQueues(stage, actors.map(actorQueue));
  return new Map(actors.map((id) => [id, countOf(actorQueue(id))]));
}
