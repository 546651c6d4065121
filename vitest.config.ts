import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { defineConfig } from "vitest/config";
import { canRun } from "./test/emulators/requirements.ts";

// What tests put aside, or leave behind when they fail, goes with the run.
const temporary = mkdtempSync(path.join(tmpdir(), "orgloop-tests-"));
process.env.TMPDIR = temporary;
process.once("exit", () => rmSync(temporary, { recursive: true, force: true }));

const project = (name: string, include: string[], testTimeout = 20_000, options: object = {}) => ({
  test: {
    name,
    include,
    testTimeout,
    hookTimeout: testTimeout,
    // What is awaited may take longer on a busy machine than the second that is the default.
    expect: { poll: { timeout: 0.8 * testTimeout } },
    ...options,
  },
});

/** The packed command, once a run. */
const installed = { globalSetup: "./test/install-command.ts" };

const aws = canRun("aws");
/** One MiniStack a project: `inject("aws")`. */
const ministack = { globalSetup: "./test/emulators/ministack-setup.ts" };
/** After the others, several files at once: for the most part they wait for deploys, schedules and retries. */
const waiting = { maxWorkers: 3, sequence: { groupOrder: 1 } };

export default defineConfig({
  test: {
    reporters: ["default", "./test/closing-line-reporter.ts"],
    projects: [
      // Not isolated: loading zod, hono and the rest anew for each file takes longer than all the tests.
      project("unit", ["{packages,examples}/**/*.test.ts", "test/*.test.ts"], 20_000, {
        isolate: false,
      }),
      project("conformance", ["test/conformance/*.test.ts"], 60_000, {
        ...(aws ? ministack : { exclude: ["**/*-{sqs,dynamodb}.test.ts"] }),
      }),
      project("property", ["test/property/*.test.ts"], 300_000, {
        exclude: canRun("java") ? [] : ["**/event-ruler-java.test.ts"],
      }),
      project("process", ["test/process/*.test.ts"], 120_000, installed),
      project("faults", ["test/faults/*.test.ts"], 600_000, installed),
      project("stacks", ["test/stacks/*.test.ts"], 300_000),
      project("parity", ["test/parity/*.test.ts"], 60_000),
      ...(aws
        ? [
            project("serverless", ["test/serverless/*.test.ts"], 600_000, {
              globalSetup: [installed.globalSetup, ministack.globalSetup],
              ...waiting,
            }),
          ]
        : []),
      // The same behaviour on the other emulator.
      ...(canRun("localstack")
        ? [
            project(
              "localstack",
              [
                "test/conformance/*-{sqs,dynamodb}.test.ts",
                "test/serverless/{behaviour,operate-letters}.test.ts",
              ],
              600_000,
              {
                globalSetup: [installed.globalSetup, "./test/emulators/localstack-setup.ts"],
                ...waiting,
              },
            ),
          ]
        : []),
    ],
  },
});
