import { plugins } from "orgloop:plugins";
import { historyFunction } from "@orgloop/aws/history";
import type { SQSEvent } from "aws-lambda";

const record = await historyFunction({
  env: process.env,
  plugins,
  projectDir: import.meta.dirname,
});

/** SQS hands over what was routed within the last minute. */
export const handler = ({ Records }: SQSEvent) => record(Records);
