import { join } from "node:path";
import { plugins } from "orgloop:plugins";
import { deliverFunction } from "@orgloop/aws/deliver";
import type { Context, SQSEvent } from "aws-lambda";

const projectDir = join(import.meta.dirname, "project");
const deliver = await deliverFunction({ env: process.env, plugins, projectDir });

/** SQS hands over a batch of one actor's queue. */
export const handler = ({ Records }: SQSEvent, context: Context) =>
  deliver(Records, Records[0]?.eventSourceARN ?? "", () => context.getRemainingTimeInMillis());
