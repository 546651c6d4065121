import { join } from "node:path";
import { plugins } from "orgloop:plugins";
import { receiveFunction } from "@orgloop/aws/receive";

const projectDir = join(import.meta.dirname, "project");

/** A function URL, or API Gateway, hands a webhook over. */
export const handler = await receiveFunction({ env: process.env, plugins, projectDir });
