import { defineConnector } from "@orgloop/sdk";
import { execActorConfig } from "./config.ts";

export default defineConnector({
  id: "exec",
  actor: {
    config: execActorConfig,
    create: async (config, context) => (await import("./exec-actor.ts")).execActor(config, context),
  },
});
