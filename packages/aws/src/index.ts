export type { BundledPlugins } from "./functions/function-tools.ts";
export * from "./queue/actor-message.ts";
export * from "./routing/event-history.ts";
