export * from "./actor-message.ts";
export * from "./event-history.ts";
