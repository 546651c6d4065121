import { defineConnector } from "@orgloop/sdk";
import { webhookActorConfig, webhookSourceConfig } from "./config.ts";

export default defineConnector({
  id: "webhook",
  source: {
    emits: ["resource.changed"],
    config: webhookSourceConfig,
    templates: [],
    intake: ["receive"],
    create: async (config) => (await import("./webhook-source.ts")).webhookSource(config),
  },
  actor: {
    config: webhookActorConfig,
    templates: ["url", "body_template"],
    create: async (config, context) =>
      (await import("./webhook-actor.ts")).webhookActor(config, context),
  },
});
