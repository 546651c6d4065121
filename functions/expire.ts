import { plugins } from "orgloop:plugins";
import { expireFunction } from "@orgloop/serverless/expire";
import type { Context } from "aws-lambda";

const expire = await expireFunction({ env: process.env, plugins, projectDir: import.meta.dirname });

/** EventBridge Scheduler calls it once a minute. */
export const handler = (_: unknown, context: Context) =>
  expire(() => context.getRemainingTimeInMillis());
