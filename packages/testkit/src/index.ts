export * from "./checkpoint-suite.ts";
export * from "./claim-suite.ts";
export * from "./dead-letter-suite.ts";
export * from "./fake-clock.ts";
export * from "./store-harness.ts";
