import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], testTimeout = 5_000, isolate = true) => ({
  test: { name, include, testTimeout, hookTimeout: testTimeout, isolate },
});

export default defineConfig({
  test: {
    reporters: ["default", "./test/closing-line-reporter.ts"],
    projects: [
      // Not isolated: loading zod, hono and the rest anew for each file takes longer than all the tests.
      project("unit", ["packages/**/*.test.ts", "test/architecture.test.ts"], 5_000, false),
      project("conformance", ["test/conformance/*.test.ts"], 60_000),
      project("property", ["test/property/*.test.ts"], 300_000),
      project("process", ["test/process/*.test.ts"], 120_000),
      project("faults", ["test/faults/*.test.ts"], 600_000),
    ],
  },
});
