export * from "./abandonment.ts";
export * from "./answer-webhook.ts";
export * from "./bind-transforms.ts";
export * from "./call-actor.ts";
export * from "./clock.ts";
export * from "./open-plugin.ts";
export * from "./poll-source.ts";
export * from "./random-hex.ts";
