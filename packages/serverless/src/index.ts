export * from "./actor-message.ts";
