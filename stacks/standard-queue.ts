import { CfnQueue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { queueArn } from "./arns.ts";
import { MAX_RECEIVES, RETENTION_S } from "./fifo-queue.ts";
import type { Stage } from "./stage.ts";

export interface StandardQueue {
  readonly name: string;
  readonly dlqName: string;
  /** At least six times the timeout of the function that receives, and its batching window. */
  readonly visibilityS: number;
}

/** A queue without order, with its dead-letter queue, both encrypted; gives the queue. */
export function standardQueue(
  scope: Construct,
  id: string,
  stage: Stage,
  { name, dlqName, visibilityS }: StandardQueue,
): CfnQueue {
  const key = stage.topology.aws?.kms_key;
  const properties = {
    messageRetentionPeriod: RETENTION_S,
    ...(key === undefined ? { sqsManagedSseEnabled: true } : { kmsMasterKeyId: key }),
  };
  const dlq = new CfnQueue(scope, `${id}Dlq`, {
    ...properties,
    queueName: dlqName,
    redriveAllowPolicy: { redrivePermission: "byQueue", sourceQueueArns: [queueArn(name)] },
  });
  return new CfnQueue(scope, id, {
    ...properties,
    queueName: name,
    visibilityTimeout: visibilityS,
    redrivePolicy: { deadLetterTargetArn: dlq.attrArn, maxReceiveCount: MAX_RECEIVES },
  });
}
