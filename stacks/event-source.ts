import { FIFO_BATCH } from "@orgloop/aws/plan";
import { CfnEventSourceMapping } from "aws-cdk-lib/aws-lambda";
import type { Construct } from "constructs";
import { functionArn, queueArn } from "./arns.ts";

export interface EventSource {
  readonly queue: string;
  readonly functionName: string;
  /** Batches in flight; SQS takes 2 to 1000. */
  readonly maximumConcurrency: number;
  /** Of a standard queue: how much is gathered, and for how long; absent: it is a FIFO queue. */
  readonly batch?: { readonly size: number; readonly windowS: number };
}

/** Batches of a queue to a function; of a FIFO queue it says which messages it gives back. */
export function eventSource(scope: Construct, id: string, source: EventSource) {
  return new CfnEventSourceMapping(scope, id, {
    eventSourceArn: queueArn(source.queue),
    functionName: functionArn(source.functionName),
    ...(source.batch === undefined
      ? { batchSize: FIFO_BATCH, functionResponseTypes: ["ReportBatchItemFailures"] }
      : { batchSize: source.batch.size, maximumBatchingWindowInSeconds: source.batch.windowS }),
    scalingConfig: {
      maximumConcurrency: Math.min(1000, Math.max(2, source.maximumConcurrency)),
    },
  });
}
