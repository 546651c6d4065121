export { type BusSuiteOptions, busSuite } from "./bus-suite.ts";
export * from "./checkpoint-suite.ts";
export * from "./claim-suite.ts";
export type { Fault, FileOperation } from "./crash-disk.ts";
export {
  type CrashFileSystem,
  crashFileSystem,
} from "./crash-file-system.ts";
export * from "./damage.ts";
export * from "./dead-letter-suite.ts";
export * from "./enterprise.ts";
export * from "./fake-clock.ts";
export * from "./fault-proxy.ts";
export * from "./inbox-suite.ts";
export * from "./memory-fifo.ts";
export * from "./memory-objects.ts";
export * from "./route-state-suite.ts";
export * from "./samples.ts";
export * from "./seeded.ts";
export * from "./store-harness.ts";
export { testEvent } from "./test-event.ts";
