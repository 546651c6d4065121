import { defineConnector } from "@orgloop/sdk";
import { webhookActorConfig, webhookSourceConfig } from "./config.ts";

export default defineConnector({
  id: "webhook",
  source: {
    emits: ["resource.changed"],
    config: webhookSourceConfig,
    templates: [],
    // What GitHub could not deliver is asked for.
    intake: (config) => (Object(config).github_hook ? ["receive", "poll"] : ["receive"]),
    async create(config, context) {
      const { missedDraft, webhookSource } = await import("./webhook-source.ts");
      const source = webhookSource(config);
      const { github_hook: hook } = config;
      if (hook === undefined) return source;
      const { hookDeliveries } = await import("./hook-deliveries.ts");
      return { ...source, ...hookDeliveries(hook, context, (sent) => missedDraft(config, sent)) };
    },
  },
  actor: {
    config: webhookActorConfig,
    templates: ["url", "body_template"],
    create: async (config, context) =>
      (await import("./webhook-actor.ts")).webhookActor(config, context),
  },
});
