import { HISTORIANS } from "@orgloop/aws/plan";
import type { Stack } from "aws-cdk-lib";
import { eventSource } from "./event-source.ts";
import { lambdaFunction } from "./functions/lambda-function.ts";
import { readObjects, receiveFrom, writeObjects } from "./grants.ts";
import type { Stage } from "./stage.ts";

const TIMEOUT_S = 60;
/** How long what was routed is gathered: each function writes an object a minute at most. */
const WINDOW_S = 60;
/** What SQS hands over at once from a standard queue; 6 MB end a batch before. */
const BATCH = 10_000;
/** AWS, Lambda with SQS: six times the timeout, and the batching window. */
export const HISTORY_VISIBILITY_S = 6 * TIMEOUT_S + WINDOW_S;

/** The function that writes the record: what happened is on its queue, and never waits for S3. */
export function history(stack: Stack, stage: Stage): void {
  const { names } = stage;
  const historian = lambdaFunction(stack, "Historian", stage, {
    kind: "history",
    name: names.historian,
    description: "Writes the record of events",
    packages: [],
    spec: { value: "{}" },
    timeoutS: TIMEOUT_S,
    memoryMb: 512,
    statements: [
      receiveFrom(names.history),
      writeObjects(stage, "events"),
      // What was too long for a message of the bus.
      readObjects(stage, "claims"),
    ],
  });
  const mapping = eventSource(stack, "History", {
    queue: names.history,
    functionName: names.historian,
    maximumConcurrency: HISTORIANS,
    batch: { size: BATCH, windowS: WINDOW_S },
  });
  mapping.addDependency(historian);
}
