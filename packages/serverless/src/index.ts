export * from "./actor-message.ts";
export * from "./event-history.ts";
export type { BundledPlugins } from "./function-tools.ts";
