import { CfnQueue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { queueArn } from "./arns.ts";
import type { Stage } from "./stage.ts";

/** What SQS keeps at most. The host gives an event up at 13 days, before SQS drops it. */
export const RETENTION_S = 14 * 86_400;

/**
 * The maximum: a hold is a receive, and the host gives poison up long before (docs/decisions/0005).
 */
export const MAX_RECEIVES = 1000;

export interface FifoQueue {
  readonly name: string;
  readonly dlqName: string;
  /** At least six times the timeout of the function that receives (AWS, Lambda with SQS). */
  readonly visibilityS: number;
}

/**
 * A FIFO queue in high-throughput mode with its dead-letter queue, both encrypted; gives the queue.
 */
export function fifoQueue(
  scope: Construct,
  id: string,
  stage: Stage,
  { name, dlqName, visibilityS }: FifoQueue,
): CfnQueue {
  const key = stage.topology.aws?.kms_key;
  const properties = {
    fifoQueue: true,
    deduplicationScope: "messageGroup",
    fifoThroughputLimit: "perMessageGroupId",
    contentBasedDeduplication: false,
    messageRetentionPeriod: RETENTION_S,
    ...(key === undefined ? { sqsManagedSseEnabled: true } : { kmsMasterKeyId: key }),
  };
  const dlq = new CfnQueue(scope, `${id}Dlq`, {
    ...properties,
    queueName: dlqName,
    redriveAllowPolicy: { redrivePermission: "byQueue", sourceQueueArns: [queueArn(name)] },
  });
  const queue = new CfnQueue(scope, id, {
    ...properties,
    queueName: name,
    visibilityTimeout: visibilityS,
    redrivePolicy: { deadLetterTargetArn: dlq.attrArn, maxReceiveCount: MAX_RECEIVES },
  });
  return queue;
}
