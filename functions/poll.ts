import { join } from "node:path";
import { plugins } from "orgloop:plugins";
import { pollFunction } from "@orgloop/aws/poll";
import type { Context } from "aws-lambda";

const projectDir = join(import.meta.dirname, "project");
const poll = await pollFunction({ env: process.env, plugins, projectDir });

/** EventBridge Scheduler calls it at each tick of a source's schedule. */
export const handler = ({ source }: { readonly source: string }, context: Context) =>
  poll({
    source,
    owner: context.awsRequestId,
    remainingMs: context.getRemainingTimeInMillis(),
  });
