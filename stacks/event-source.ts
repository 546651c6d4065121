import { FIFO_BATCH } from "@orgloop/aws/plan";
import { CfnEventSourceMapping } from "aws-cdk-lib/aws-lambda";
import type { Construct } from "constructs";
import { functionArn, queueArn } from "./arns.ts";

export interface EventSource {
  readonly queue: string;
  readonly functionName: string;
  /** Batches in flight; SQS takes 2 to 1000. */
  readonly maximumConcurrency: number;
}

/** Batches of a FIFO queue to a function, which says which messages it gives back. */
export function eventSource(scope: Construct, id: string, source: EventSource) {
  return new CfnEventSourceMapping(scope, id, {
    eventSourceArn: queueArn(source.queue),
    functionName: functionArn(source.functionName),
    batchSize: FIFO_BATCH,
    functionResponseTypes: ["ReportBatchItemFailures"],
    scalingConfig: {
      maximumConcurrency: Math.min(1000, Math.max(2, source.maximumConcurrency)),
    },
  });
}
