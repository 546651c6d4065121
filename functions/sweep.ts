import { plugins } from "orgloop:plugins";
import { sweepFunction } from "@orgloop/aws/sweep";
import type { Context } from "aws-lambda";

const sweep = await sweepFunction({ env: process.env, plugins, projectDir: import.meta.dirname });

/** EventBridge Scheduler calls it once a minute. */
export const handler = (_: unknown, context: Context) =>
  sweep(() => context.getRemainingTimeInMillis());
