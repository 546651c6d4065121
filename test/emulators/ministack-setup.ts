import type { TestProject } from "vitest/node";
import type { Emulator } from "./emulator.ts";
import { startMiniStack } from "./ministack.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The project's MiniStack, shared by its test files: names are unique per test. */
    aws: Pick<Emulator, "endpoint" | "env">;
    /** What deploys to it. SST needs more of CloudFormation than LocalStack has. */
    deployer: "sst" | "cdk";
  }
}

/**
 * Vitest global setup: one MiniStack for a project's run; `inject("aws")` gives it to the tests.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { endpoint, env, stop } = await startMiniStack();
  project.provide("aws", { endpoint, env });
  project.provide("deployer", "sst");
  return stop;
}
