import { defineConnector } from "@orgloop/sdk";
import { fileActorConfig } from "./config.ts";

export default defineConnector({
  id: "file",
  actor: {
    config: fileActorConfig,
    templates: [],
    create: async (config, context) => (await import("./file-actor.ts")).fileActor(config, context),
  },
});
