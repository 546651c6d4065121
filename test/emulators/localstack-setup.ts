import type { TestProject } from "vitest/node";
import { startLocalStack } from "./localstack.ts";

/** Vitest global setup: as MiniStack's, with LocalStack in its place. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { endpoint, env, stop } = await startLocalStack();
  project.provide("aws", { endpoint, env });
  project.provide("deployer", "cdk");
  return stop;
}
