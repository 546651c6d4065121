import { join } from "node:path";
import { plugins } from "orgloop:plugins";
import { routeFunction } from "@orgloop/aws/route";
import type { Context, SQSEvent } from "aws-lambda";

const projectDir = join(import.meta.dirname, "project");
const route = await routeFunction({ env: process.env, plugins, projectDir });

/** SQS hands over a batch of the bus. */
export const handler = ({ Records }: SQSEvent, context: Context) =>
  route(Records, () => context.getRemainingTimeInMillis());
