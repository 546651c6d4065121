import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], testTimeout = 5_000) => ({
  test: { name, include, testTimeout, hookTimeout: testTimeout },
});

export default defineConfig({
  test: {
    reporters: ["default", "./test/closing-line-reporter.ts"],
    projects: [
      project("unit", ["packages/**/*.test.ts", "test/architecture.test.ts"]),
      project("conformance", ["test/conformance/*.test.ts"], 60_000),
      project("property", ["test/property/*.test.ts"], 300_000),
      project("process", ["test/process/*.test.ts"], 120_000),
      project("faults", ["test/faults/*.test.ts"], 600_000),
    ],
  },
});
