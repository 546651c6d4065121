import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type QueueAttributeName,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { HideMessages, RemoveMessages } from "../delivery/deliver-batch.ts";
import { hideInOrder } from "../queue/hide-in-order.ts";
import type { CountMessages } from "../queue/queue-bound.ts";
import type { ReadParameters } from "./secrets.ts";

export interface AwsClients {
  readonly sqs: SQSClient;
  readonly dynamo: DynamoDBClient;
  readonly s3: S3Client;
}

/** Region, credentials and endpoint are the environment's. */
export function awsClients(): AwsClients {
  return {
    // A queue's address names AWS's own host, wherever it really is.
    sqs: new SQSClient({ useQueueUrlAsEndpoint: false }),
    dynamo: new DynamoDBClient({}),
    // An emulator has no host names for buckets.
    s3: new S3Client({ forcePathStyle: process.env.AWS_ENDPOINT_URL !== undefined }),
  };
}

const COUNTS: QueueAttributeName[] = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
];

export function messageCount(sqs: SQSClient): CountMessages {
  return async (queueUrl) => {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: COUNTS }),
    );
    return COUNTS.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
  };
}

export function messageHiding(sqs: SQSClient): HideMessages {
  return (queueUrl, receiptHandles, seconds) =>
    hideInOrder({ sqs, queueUrl }, receiptHandles, seconds);
}

/** Of a batch at most; what is not removed then is removed with the batch. */
export function messageRemoval(sqs: SQSClient): RemoveMessages {
  return async (queueUrl, receiptHandles) => {
    const Entries = receiptHandles.map((ReceiptHandle, at) => ({ Id: String(at), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
  };
}

/** Reads parameters of SSM; its client is loaded when the first secret is wanted. */
export function parameterReader(): ReadParameters {
  // A module of its own: of a package that is imported like this, a bundler keeps everything.
  return async (names) => (await import("./ssm-parameters.ts")).ssmParameters(names);
}
