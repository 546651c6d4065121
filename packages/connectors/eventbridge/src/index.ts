import { defineConnector } from "@orgloop/sdk";
import { eventBridgeActorConfig } from "./config.ts";

export default defineConnector({
  id: "eventbridge",
  actor: {
    config: eventBridgeActorConfig,
    templates: [],
    create: async (config) => (await import("./eventbridge-actor.ts")).eventBridgeActor(config),
  },
});
